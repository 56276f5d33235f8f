//! Mistakes in a scenario file, and how they are shown.

/// Every mistake found in one file.
#[derive(Debug)]
pub struct Problems {}

impl Problems {
    /// All of them as text for a terminal: place, source line, what is allowed, what to do.
    pub fn render(&self, colour: bool) -> String {
        let _ = colour;
        String::new()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        0
    }
}

/// One problem at a line of `source`, found after loading (cost, method), rendered like the others.
pub fn render_at_line(
    source: &[u8],
    file: &str,
    line: u32,
    message: &str,
    help: &str,
    colour: bool,
) -> String {
    let _ = (source, file, line, message, help, colour);
    String::new()
}
