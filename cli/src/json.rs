//! JSON as text: what the reports print is too little for a library.

/// A string with its quotes.
pub fn json_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04x}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A list of values that are JSON already.
pub fn json_list(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(", "))
}

/// An object of values that are JSON already; keys need no quoting.
pub fn json_object<const N: usize>(members: [(&str, String); N]) -> String {
    let members = members.map(|(key, value)| format!("\"{key}\": {value}"));
    format!("{{{}}}", members.join(", "))
}
