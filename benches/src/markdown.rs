//! Tables as Markdown: each figure with its spread, and how many times ours it is.

use crate::report::{Figure, Row, Table};
use std::fmt::Write;

/// The tables whose rows are of one kind, so that a mean of their ratios says something.
const MEANS: &[&str] = &["kernels", "sightglass"];

/// The table; below it stand the means of its ratios, and what is missing.
pub fn to_markdown(table: &Table) -> String {
    let Some(first) = table.rows.first() else { return String::new() };
    let counts: Vec<bool> = (0..first.figures.len()).map(|at| has_counts(table, at)).collect();
    let mut text = header_lines(table, first, &counts);
    for row in &table.rows {
        text += &row_line(row, &counts);
    }
    text + &notes(table)
}

fn has_counts(table: &Table, at: usize) -> bool {
    let counted = |row: &Row| {
        let figure = row.figures.get(at).and_then(|figure| figure.measured.as_ref().ok());
        figure.is_some_and(|measured| measured.instructions.is_some())
    };
    table.rows.iter().any(counted)
}

fn header_lines(table: &Table, row: &Row, counts: &[bool]) -> String {
    let mut head = String::from("| case |");
    let mut rule = String::from("|---|");
    for (at, figure) in row.figures.iter().enumerate() {
        write!(head, " {}, {} |", figure.who, table.unit).expect("strings take all");
        rule += "--:|";
        if counts[at] {
            head += " instructions |";
            rule += "--:|";
        }
        if at > 0 {
            head += " ratio |";
            rule += "--:|";
        }
    }
    format!("{head}\n{rule}\n")
}

fn row_line(row: &Row, counts: &[bool]) -> String {
    let mut line = format!("| {} |", row.case);
    for (at, figure) in row.figures.iter().enumerate() {
        write!(line, " {} |", cell(figure)).expect("strings take all");
        if counts[at] {
            let count = figure.measured.as_ref().ok().and_then(|measured| measured.instructions);
            write!(line, " {} |", count.map_or_else(String::new, number)).expect("as above");
        }
        if at > 0 {
            let ratio = row.ratio(at).map(|ratio| format!("{}x", number(ratio)));
            write!(line, " {} |", ratio.unwrap_or_default()).expect("as above");
        }
    }
    line + "\n"
}

fn cell(figure: &Figure) -> String {
    match &figure.measured {
        Ok(measured) if number(measured.best) == number(measured.worst) => number(measured.best),
        Ok(measured) => format!("{}–{}", number(measured.best), number(measured.worst)),
        Err(_) => "–".to_string(),
    }
}

/// Three digits that count, and no more behind the point than that takes.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// What is missing and why, and the mean ratios.
fn notes(table: &Table) -> String {
    let mut text = String::new();
    let mut missing: Vec<(String, String, usize)> = Vec::new();
    for figure in table.rows.iter().flat_map(|row| &row.figures) {
        let Err(why) = &figure.measured else { continue };
        let known = missing.iter_mut().find(|(who, known, _)| *who == figure.who && known == why);
        match known {
            Some((_, _, count)) => *count += 1,
            None => missing.push((figure.who.clone(), why.clone(), 1)),
        }
    }
    let columns = table.rows.first().map_or(0, |row| row.figures.len());
    if MEANS.contains(&table.name.as_str()) {
        for at in 1..columns {
            let who = &table.rows[0].figures[at].who;
            if let Some(mean) = table.mean_ratio(at) {
                writeln!(text, "\nGeometric mean against {who}: {}x.", number(mean))
                    .expect("strings take all");
            }
        }
    }
    for (who, why, count) in missing {
        let rows = if count == 1 { "row" } else { "rows" };
        writeln!(text, "\nNot measured, {who} in {count} {rows}: {why}.").expect("as above");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Measured;

    #[test]
    fn what_is_missing_is_counted() {
        let ours = Measured { best: 2.0, worst: 2.5, instructions: Some(12.0) };
        let theirs = Measured { best: 30.0, worst: 30.0, instructions: None };
        let row = |case: &str, peer| Row {
            case: case.into(),
            figures: vec![Figure::new("wasmelt", ours), peer],
        };
        let mut table = Table::new("calls", "ns");
        table.rows.push(row("a", Figure::new("C", theirs)));
        table.rows.push(row("b", Figure::absent("C", "there is no `cc`")));
        assert_eq!(
            to_markdown(&table),
            "| case | wasmelt, ns | instructions | C, ns | ratio |\n\
             |---|--:|--:|--:|--:|\n\
             | a | 2.00–2.50 | 12.0 | 30.0 | 15.0x |\n\
             | b | 2.00–2.50 | 12.0 | – |  |\n\
             \nNot measured, C in 1 row: there is no `cc`.\n"
        );
    }
}
