//! Tables of ratios: Markdown for people, JSON for programs.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// One measured program of a row.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Who: `wasmelt`, `wasmtime default`, `C`, ...
    pub who: &'static str,
    /// The best of all rounds, in the table's unit.
    pub best: f64,
    /// The worst of all rounds, in the same unit: the spread of the machine.
    pub worst: f64,
    /// Instructions per call, counted by callgrind, if it is there.
    pub instructions: Option<f64>,
}

/// A case and everyone who ran it, ours first.
#[derive(Clone, Debug)]
pub struct Row {
    /// The case's name.
    pub case: String,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// The rows of a group.
#[derive(Clone, Debug)]
pub struct Table {
    /// The group's name.
    pub group: &'static str,
    /// What a figure counts.
    pub unit: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// The table as Markdown: each figure with its spread, and how often ours goes into it.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {} ({})\n\n", self.group, self.unit);
        let mut header = 0;
        for row in &self.rows {
            if row.figures.len() != header {
                header = row.figures.len();
                text += &header_lines(row);
            }
            text += &row_line(row);
        }
        text
    }

    /// The table as one JSON object.
    pub fn json(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(row_json).collect();
        format!(
            "{{\"group\": \"{}\", \"unit\": \"{}\", \"rows\": [{}]}}",
            self.group,
            self.unit,
            rows.join(", ")
        )
    }

    /// Writes `GROUP.md` and `GROUP.json` into a folder, and the Markdown to standard output.
    pub fn publish(&self, folder: &Path) -> Result<(), String> {
        let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(fail)?;
        fs::write(folder.join(format!("{}.md", self.group)), self.markdown()).map_err(fail)?;
        fs::write(folder.join(format!("{}.json", self.group)), self.json()).map_err(fail)?;
        println!("{}", self.markdown());
        Ok(())
    }
}

fn header_lines(row: &Row) -> String {
    let mut head = String::from("| case |");
    let mut rule = String::from("|---|");
    for (at, figure) in row.figures.iter().enumerate() {
        write!(head, " {} |", figure.who).expect("strings take all");
        rule += "--:|";
        if at > 0 {
            head += " ratio |";
            rule += "--:|";
        }
    }
    format!("{head}\n{rule}\n")
}

fn row_line(row: &Row) -> String {
    let mut line = format!("| {} |", row.case);
    let ours = row.figures.first().map_or(f64::NAN, |figure| figure.best);
    for (at, figure) in row.figures.iter().enumerate() {
        write!(line, " {:.2} (to {:.2})", figure.best, figure.worst).expect("strings take all");
        if let Some(count) = figure.instructions {
            write!(line, ", {count:.1} instructions").expect("strings take all");
        }
        line += " |";
        if at > 0 {
            write!(line, " {:.2}x |", figure.best / ours).expect("strings take all");
        }
    }
    line + "\n"
}

fn row_json(row: &Row) -> String {
    let figures: Vec<String> = row
        .figures
        .iter()
        .map(|figure| {
            let count = figure.instructions.map_or("null".to_string(), |count| format!("{count}"));
            format!(
                "{{\"who\": \"{}\", \"best\": {}, \"worst\": {}, \"instructions\": {count}}}",
                figure.who, figure.best, figure.worst
            )
        })
        .collect();
    format!("{{\"case\": \"{}\", \"figures\": [{}]}}", row.case, figures.join(", "))
}
