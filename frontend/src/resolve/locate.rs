//! From an import to the file it names.
//!
//! What an import may say: an `external-id` that is a path or a `file:` URL, one
//! of the older names with a URL or a package inside (`url=<...>`,
//! `locked-dep=<...>`, `unlocked-dep=<...>`), or nothing but its name, which is
//! looked for in the folder `deps` beside the importing file.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Where an import's file was looked for.
pub enum Located {
    /// Here it is.
    File(PathBuf),
    /// In none of these places.
    Nowhere(Vec<PathBuf>),
}

/// What an import says about where it comes from.
#[derive(Debug, PartialEq, Eq)]
enum Reference<'a> {
    /// A path, relative to the importing file's folder.
    Path(&'a str),
    /// A name or a package: something in the folder `deps`.
    Package { name: &'a str, version: Option<&'a str> },
    /// A URL that only a network could answer.
    Remote(&'a str),
}

/// Looks for the file of an import; `importer` is the path of the importing file.
pub fn locate_import(name: &str, external_id: Option<&str>, importer: &Path) -> Result<Located> {
    let folder = importer.parent().unwrap_or(Path::new(""));
    let mut tried = Vec::new();
    for reference in external_id.map(parse_reference).into_iter().chain(parse_name(name)) {
        let candidates = match reference {
            Reference::Path(path) => path_candidates(folder, path),
            Reference::Package { name, version } => package_candidates(folder, name, version),
            Reference::Remote(url) => {
                return Err(Error::unsupported(format!("fetching `{url}`"))
                    .help(format!("fetch the file and name it with `--with {name}=FILE`")));
            }
        };
        for candidate in candidates {
            if candidate.exists() {
                refuse_integrity(name)?;
                return Ok(Located::File(candidate));
            }
            if !tried.contains(&candidate) {
                tried.push(candidate);
            }
        }
        if matches!(reference, Reference::Path(_)) {
            // A path is meant: finding something else by name would hide that it is missing.
            break;
        }
    }
    Ok(Located::Nowhere(tried))
}

/// A checksum that is not compared would be a promise not kept.
fn refuse_integrity(name: &str) -> Result<()> {
    if name.contains("integrity=<") {
        return Err(Error::unsupported("checking the `integrity` of an import")
            .help(format!("check the file and name it with `--with '{name}=FILE'`")));
    }
    Ok(())
}

/// What an import's name says, if it is one of the older forms or a plain name.
fn parse_name(name: &str) -> Option<Reference<'_>> {
    let (form, rest) = match name.split_once("=<") {
        Some((form, rest)) => (form, rest.split_once('>').map_or(rest, |(inner, _)| inner)),
        None => return Some(parse_package(name)),
    };
    match form {
        "url" | "relative-url" => Some(parse_reference(rest)),
        "locked-dep" => Some(parse_package(rest)),
        // A version range starts with a brace or a star; any file of the package will do.
        "unlocked-dep" => {
            let name = rest.split_once('@').map_or(rest, |(name, _)| name);
            Some(Reference::Package { name, version: None })
        }
        _ => None,
    }
}

/// What an `external-id` or the inside of a URL name says.
fn parse_reference(text: &str) -> Reference<'_> {
    if let Some((scheme, inner)) = text.split_once("=<")
        && let Some(inner) = inner.strip_suffix('>')
    {
        let is_url = matches!(scheme, "url" | "relative-url");
        return if is_url { parse_reference(inner) } else { parse_package(inner) };
    }
    if let Some(path) = text.strip_prefix("file:") {
        return Reference::Path(path.strip_prefix("//").unwrap_or(path));
    }
    if text.contains("://") {
        return Reference::Remote(text);
    }
    let is_file = text.ends_with(".wasm") || text.ends_with(".wat");
    let is_package = text.contains(':') && !text.starts_with('.') && !text.starts_with('/');
    if is_package && !is_file { parse_package(text) } else { Reference::Path(text) }
}

fn parse_package(text: &str) -> Reference<'_> {
    match text.split_once('@') {
        Some((name, version)) => Reference::Package { name, version: Some(version) },
        None => Reference::Package { name: text, version: None },
    }
}

/// The path itself, then its text form, then the path with an extension.
fn path_candidates(folder: &Path, path: &str) -> Vec<PathBuf> {
    let path = join_clean(folder, path);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("wasm") => vec![path.clone(), path.with_extension("wat")],
        Some("wat") => vec![path],
        _ => {
            let binary = append_extension(&path, "wasm");
            let text = append_extension(&path, "wat");
            vec![path, binary, text]
        }
    }
}

/// The places in `deps` for a name such as `logger` or `ns:pkg`, most specific first.
fn package_candidates(folder: &Path, name: &str, version: Option<&str>) -> Vec<PathBuf> {
    let deps = join_clean(folder, "deps");
    let mut stems = Vec::new();
    for name in [name.replacen(':', "/", 1), name.to_owned()] {
        if let Some(version) = version {
            stems.push(format!("{name}@{version}"));
        }
        stems.push(name);
    }
    stems
        .iter()
        .flat_map(|stem| {
            let path = deps.join(stem);
            [append_extension(&path, "wasm"), append_extension(&path, "wat")]
        })
        .collect()
}

/// Appends an extension to a path that may have dots in its last part.
fn append_extension(path: &Path, extension: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

/// Joins without the `.` parts, which only clutter messages.
fn join_clean(folder: &Path, path: &str) -> PathBuf {
    let joined = folder.join(path);
    joined.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        let package = |name, version| Reference::Package { name, version };
        assert_eq!(parse_reference("./a.wasm"), Reference::Path("./a.wasm"));
        assert_eq!(parse_reference("a.wat"), Reference::Path("a.wat"));
        assert_eq!(parse_reference("file:///x/a.wasm"), Reference::Path("/x/a.wasm"));
        assert_eq!(parse_reference("https://x/a"), Reference::Remote("https://x/a"));
        assert_eq!(parse_reference("ns:pkg@1.0"), package("ns:pkg", Some("1.0")));
        assert_eq!(parse_reference("relative-url=<./a>"), Reference::Path("./a"));
        assert_eq!(parse_name("logger"), Some(package("logger", None)));
        assert_eq!(parse_name("url=<https://x>"), Some(Reference::Remote("https://x")));
        assert_eq!(
            parse_name("locked-dep=<a:b@1.2.3>,integrity=<sha256-x>"),
            Some(package("a:b", Some("1.2.3")))
        );
        assert_eq!(parse_name("unlocked-dep=<a:b@{>=1.0.0}>"), Some(package("a:b", None)));
        assert_eq!(parse_name("integrity=<sha256-x>"), None);
    }

    #[test]
    fn packages_are_looked_for_in_deps() {
        let found: Vec<_> = package_candidates(Path::new("x"), "ns:pkg", Some("1.0"))
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(
            found,
            [
                "x/deps/ns/pkg@1.0.wasm",
                "x/deps/ns/pkg@1.0.wat",
                "x/deps/ns/pkg.wasm",
                "x/deps/ns/pkg.wat",
                "x/deps/ns:pkg@1.0.wasm",
                "x/deps/ns:pkg@1.0.wat",
                "x/deps/ns:pkg.wasm",
                "x/deps/ns:pkg.wat"
            ]
        );
    }
}
