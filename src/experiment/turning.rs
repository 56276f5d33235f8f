//! Break-even factors as plain data.

/// How wrong one input may be until the figure of a target crosses its bound.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakEven {
    /// The input, such as `app.crash.every`.
    pub input: String,
    /// What the factor says about it.
    pub scaled: Scaled,
    /// Whether the target holds with the input as it is; the factor is then above 1, else below.
    pub met: bool,
    /// The factor; `None` where `unturned` says why.
    pub factor: Option<f64>,
    /// Between which factors it lies: at the first the target was as it is, at the second not any more.
    pub between: Option<(f64, f64)>,
    /// The furthest factor at which the target had not turned.
    pub tried: f64,
    /// Why there is no factor.
    pub unturned: Option<Unturned>,
}

/// What a break-even factor says about its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaled {
    /// How many times as often it comes.
    Often,
    /// How many times as long it takes.
    Long,
    /// How many times as many failovers or activations do not work.
    Failing,
}

/// Why there is no break-even factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unturned {
    /// The target did not turn, as far as it was tried.
    NotYet,
    /// As the design is, so few histories do not say on which side of its bound the figure lies.
    TooClose,
    /// Even few histories with requests for each try would take too long.
    TooCostly,
}

impl Scaled {
    /// The word in `result.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Often => "often",
            Self::Long => "long",
            Self::Failing => "failing",
        }
    }
}
