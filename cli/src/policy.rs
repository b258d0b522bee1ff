//! `--policy FILE`: grants from a file, in TOML and the command line's words.
//!
//! ```toml
//! dir = ["data::/data:ro", "out"]
//! env = ["LANG=C", "HOME"]
//! inherit-env = false
//! network = "outbound"
//! ```

use crate::grants::{Grants, Network, parse_dir, parse_env};
use crate::output::describe;
use crate::{Error, Result};
use clap::ValueEnum;
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// Reads a policy.
///
/// # Errors
///
/// The file cannot be read, is no TOML, or says something that the command line would not take.
pub fn read_policy(path: &Path) -> Result<Grants> {
    let text = fs::read_to_string(path).map_err(|error| {
        Error::environment(format!("cannot read the policy: {}", describe(&error))).in_file(path)
    })?;
    parse_policy(&text).map_err(|message| Error::invalid(message).in_file(path))
}

/// Parses a policy; an error is a sentence.
fn parse_policy(text: &str) -> std::result::Result<Grants, String> {
    let table: Table =
        text.parse().map_err(|error: toml::de::Error| describe_syntax(text, &error))?;
    let mut grants = Grants::default();
    for (key, value) in &table {
        let context = |message: String| format!("`{key}`: {message}");
        match key.as_str() {
            "dir" => {
                for text in strings(value).map_err(context)? {
                    grants.dirs.push(parse_dir(text).map_err(context)?);
                }
            }
            "env" => {
                for text in strings(value).map_err(context)? {
                    grants.envs.push(parse_env(text).map_err(context)?);
                }
            }
            "inherit-env" => {
                let yes =
                    value.as_bool().ok_or_else(|| context("expected true or false".into()))?;
                grants.inherit_env = yes;
            }
            "network" => {
                let word = value.as_str().and_then(|word| Network::from_str(word, false).ok());
                let expected = "expected \"none\", \"outbound\" or \"all\"";
                grants.network = word.ok_or_else(|| context(expected.into()))?;
            }
            _ => {
                let known = "`dir`, `env`, `inherit-env` and `network`";
                return Err(format!("`{key}` is nothing that can be granted: there are {known}"));
            }
        }
    }
    Ok(grants)
}

/// A list of strings.
fn strings(value: &Value) -> std::result::Result<Vec<&str>, String> {
    let strings = value.as_array().map(|list| list.iter().map(Value::as_str).collect());
    strings.flatten().ok_or_else(|| "expected a list of strings".to_string())
}

/// The parser's message on one line, with the place as other messages have it.
fn describe_syntax(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("{message} in line {}", before.matches('\n').count() + 1),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_the_words_of_the_command_line() {
        let text = "dir = ['data::/data:ro', 'out']\nenv = ['LANG=C', 'HOME']\n\
                    inherit-env = true\nnetwork = 'outbound'\n";
        let wanted = Grants {
            dirs: ["data::/data:ro", "out"].map(|text| parse_dir(text).expect("right")).to_vec(),
            envs: ["LANG=C", "HOME"].map(|text| parse_env(text).expect("right")).to_vec(),
            inherit_env: true,
            network: Network::Outbound,
        };
        assert_eq!(parse_policy(text), Ok(wanted));
        assert_eq!(parse_policy(""), Ok(Grants::default()));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let refuse = |text: &str| parse_policy(text).expect_err("it is wrong");
        assert!(refuse("dri = ['x']").starts_with("`dri` is nothing that can be granted"));
        assert_eq!(refuse("dir = 'x'"), "`dir`: expected a list of strings");
        assert_eq!(refuse("env = ['=x']"), "`env`: expected NAME[=VALUE]");
        assert!(refuse("network = 'some'").starts_with("`network`: expected"));
        assert!(refuse("\ndir = [").ends_with("in line 2"), "{}", refuse("\ndir = ["));
    }
}
