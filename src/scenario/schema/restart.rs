//! Who starts a process again when it ends, as a file states it.

use super::SpanDist;
use crate::scenario::read::Opt;
use crate::scenario::units::{Percent, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// How a process is started again that has crashed or hung. One that has lost its machine, or that operators restart (a release and its roll-back among them), starts afresh, without a pause: a roll-back makes new pods, and comes longer after a bad release than systemd counts starts (10s). A `crash` that does not say how long it `lasts` is over at once; one that does makes every start fail until it is over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {like: kubernetes} or {backoff: {first: 10s}}"
)]
#[schemars(rename = "Restart")]
pub(in crate::scenario) struct RestartForm {
    /// Whose defaults hold for what is not stated here. Default: none.
    pub(in crate::scenario) like: Opt<LikeForm>,
    /// Whether it is started again by itself. Default: always.
    pub(in crate::scenario) policy: Opt<PolicyForm>,
    /// The pauses before restarts. Default: those of `like`; needed without it, unless the policy is `never`.
    pub(in crate::scenario) backoff: Opt<PausesForm>,
    /// So many starts, and nobody tries any more. Default: no limit; like systemd: {starts: 5, within: 10s}. Evidence: read in source (systemd 254).
    pub(in crate::scenario) limit: Opt<LimitForm>,
    /// From the moment when nobody tries any more to the start by a person. `{people: on_call}` for people. Default: none; needed with a `limit` or the policy `never`.
    pub(in crate::scenario) person: Opt<SpanDist>,
    /// The chance that a start ends in another crash instead, when it should be over. At most 99%. Default: 0%.
    pub(in crate::scenario) starts_fail: Opt<Percent>,
}

/// Whose defaults hold.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`kubernetes` or `systemd`"
)]
#[schemars(rename = "RestartLike")]
pub(in crate::scenario) enum LikeForm {
    /// kubelet 1.31: at once, then 10s, doubled, at most 5m; anew after 10 minutes. From its source.
    Kubernetes,
    /// systemd 254 with `Restart=always`: 100ms each time, five starts in 10s, then a person. From its source.
    Systemd,
}

/// Whether a process is started again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`always` or `never`"
)]
#[schemars(rename = "RestartPolicy")]
pub(in crate::scenario) enum PolicyForm {
    /// It is; a crash is a failure, so `on-failure` means the same here.
    Always,
    /// A person starts it.
    Never,
}

/// The pauses before restarts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {first: 10s, factor: 2, cap: 5m, resets_after: 10m}"
)]
#[schemars(rename = "RestartBackoff")]
pub(in crate::scenario) struct PausesForm {
    /// Whether the first restart comes without a pause. Default: false; like kubernetes: true.
    pub(in crate::scenario) at_once: Opt<bool>,
    /// The first pause, at least 100ms. Default: that of `like`; needed without it.
    pub(in crate::scenario) first: Opt<Span>,
    /// How many times as long each next pause is. Default: 2; like systemd: 1. Evidence: read in source (kubelet 1.31, systemd 254).
    #[schemars(range(min = 1.0, max = 100.0))]
    pub(in crate::scenario) factor: Opt<f64>,
    /// The longest pause. Default: 5m, or `first` if that is longer or the factor is 1. Evidence: read in source (kubelet 1.31).
    pub(in crate::scenario) cap: Opt<Span>,
    /// What ran for longer than this from its start to its end begins with the first restart again. Default: 10m. Evidence: read in source (kubelet 1.31).
    pub(in crate::scenario) resets_after: Opt<Span>,
}

/// So many starts in a time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {starts: 5, within: 10s}"
)]
#[schemars(rename = "StartLimit")]
pub(in crate::scenario) struct LimitForm {
    /// How many.
    #[schemars(required, range(min = 1, max = 1_000))]
    pub(in crate::scenario) starts: Opt<u64>,
    /// From the first of them on; later another count begins.
    #[schemars(required)]
    pub(in crate::scenario) within: Opt<Span>,
}
