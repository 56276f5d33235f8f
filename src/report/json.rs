//! `result.json`: everything a run found out, for programs.
//!
//! UTF-8, two blanks of indentation, one trailing newline. The same outcome gives the same bytes;
//! there is no time stamp and no path in it. A published name keeps its meaning; names may be added
//! without a new `format`. Times are in seconds, shares from 0 to 1, and what could not be measured
//! is `null`. Integers may exceed 2^53.
//!
//! An *estimate* is `{"value", "low", "high", "confidence", "n"}`: the best single number, the ends
//! of its interval (`null`: no bound on that side), the probability with which such intervals
//! contain the truth, and the count behind it. Intervals are about simulation error only: the
//! inputs are taken as given.
//!
//! | name | what it is |
//! |---|---|
//! | `format` | 1 |
//! | `scenario.name` | text of the file |
//! | `scenario.hash` | 16 hex digits of the scenario's meaning; comments and layout do not count |
//! | `run.seed`, `run.replications`, `run.traffic_replications` | integers; traffic: those of the replications that had requests |
//! | `run.horizon_s` | length of one replication |
//! | `run.method` | `none`, `windows` or `exact` |
//! | `run.engine` | name and version of the program |
//! | `run.requests_by` | which engine simulated requests, `null` without any: `events`, or `arrivals`, which works out what becomes of a request as it arrives, and leaves what comes after the first change of a stretch to events; figures do not depend on it |
//! | `run.complete` | `false` after an interruption: valid, but not what was asked for |
//! | `run.steady` | whether the histories began in equilibrium (`false`: everything new) |
//! | `run.slice_s`, `run.bad_below` | length of a slice or `null`; a slice is bad if its share of good or degraded requests is below |
//! | `run.simulated` | `requests`, `attempts`, `transitions`, `regimes` (integers), `share_of_time`, the share of the traffic replications' time simulated request by request, `unsettled_windows`, how often overload outlived what began it, and `unsettled_mean_s`, for how long on average; `bounded_histories`, histories without traffic whose downtime was bounded for a target like `probability(downtime > 4h)`; `lent_histories`, histories without traffic whose quiet time counts in the figures of requests; `late_probes` (null where no worker answers probes): how many `failed` for want of workers, how often balancers left out a replica for it in samples of quiet time (`left_out_in_samples`), the `windows` that were longer for it, and the `share_of_time` that was; `ejections` (null where no balancer has outlier detection): how often a replica that answers was ejected where requests were simulated (`seen`), the `windows` that went on until all was forgotten, and the `share_of_time` that was |
//! | `run.warm_up` | how long windows and samples began before their requests counted, `null` without any: `used_s`, `formula_s` (by a formula, which stands where it is the longer); from pairs of runs of the same requests, one from empty and one from a backlog, at the busiest time: `pairs` of each regime, `mean_s` and `largest_s` until they were one in the regime that asks for most (`null` if none was measured), `missing`, the pool of which a replica is missing in it (`null`: all is up), how many regimes were `measured` or are `unknown` (too costly, or two runs cannot become one there), and `slow[]`, those in which a pair was not one for long: `missing`, `more_than_s`; `too_short`, whether that says that it is |
//! | `run.forcing` | `null` if structural outages came as often as they do; else integers `branches`, `forced` (with a fault that was forced), `hits` (that met an outage), `demands_raised` (in which something decided by chance when it is demanded was made likelier: a failover or an activation that fails, what a common cause hits, a bad release; only where there are any), `injected` (of branches that begin with a fault that hardly any history has, counted apart: `branches`, `hits`, `mean_weight`, `mean_weight_z`, `effective_share`, `largest_share`; only where there are any), `natural_hits` (replications with an outage of their own), and numbers `mean_weight` (1 is right), `mean_weight_z` (its distance from 1 in standard errors), `effective_share` (outages of equal weight that would say as much, over `hits`), `largest_share` (of one outage in the weight of all; both `null` without hits), `expected_hits` (what `natural_hits` should be about), `durations_z` (how far the weights of branches with long and with short first durations are apart, in standard errors), `error_ratio` (the error of the downtime over that of a sixteenth of the histories, about 0.25 is right; `null` if too few met an outage), the list `initiators` (by which faults branches began: `fault`, `null` for all that cannot be forced itself, `branches`, `hits`, `share` of the downtime), and, where there are requests, `requests`: the two parts of what fails, `failed_share` (of requests) and `downtime_s_per_year` (from slices), each with `plain`, what histories with traffic found without what they lost while the structure was down, and `forced`, the mean of that loss, from branches; the figures of requests are their sums |
//! | `run.splitting` | `null` unless requests that fail of load more seldom than samples see were found by splitting; else integers `regimes` (summed over groups of histories), `levels` (of the one with the most), `roots` (main trajectories), `retrials` (split off them), `changes` (of state, in all of them), `hits` (requests that failed of load), `given_up` (regimes of groups left to samples, as splitting would have taken too long), `unsplit` (those followed to their end without more splitting, as it took long: that makes them less precise, not wrong), and the number `effective_hits` (main trajectories of equal finds that would say as much) |
//! | `run.looks` | how many times the verdicts were looked at |
//! | `availability.request` | estimate or `null`: (good + degraded) / (issued - in flight) |
//! | `availability.full` | estimate or `null`: good / (issued - in flight) |
//! | `availability.time` | estimate or `null`: 1 - downtime / horizon |
//! | `availability.structural` | estimate: share of time in which every journey could be served |
//! | `downtime_s_per_year` | `null` without traffic; bad slices per replication, scaled to a year: estimates `mean`, `p50`, `p90`, `p95`, `p99` (percentiles over replications, `null` where too few), `none` (share of replications without any), and `exceedance`: pairs of (seconds per replication, not scaled; share of replications with more) |
//! | `planned_downtime_s_per_year` | estimate or `null`: the part of the mean of `downtime_s_per_year` whose cause is planned work |
//! | `outages` | `null` without traffic; `per_year` estimate; `duration_s.mean`, `.p50`, `.p99` estimates or `null`; `mtbf_s` (start to start) and `mttr_s` (the mean duration) estimates or `null` |
//! | `requests` | `null` without traffic; integers `issued`, `good`, `degraded`, `failed`, `in_flight` over all traffic replications, weighted, `failed_by_cause` (numbers by cause, which sum to `failed` up to rounding), `failed_planned` (the number of them whose cause is planned work) and `simulated`, the five counts that were simulated and add up exactly |
//! | `latency_s` | of answered requests, `null` if none: estimates `mean`, `p50`, `p90`, `p95`, `p99`, `p999`, the number `largest_seen`, and `curve`, pairs of (share of requests, seconds) |
//! | `latency_s_by_condition` | the same by what the request met: `healthy`, `failover`, `degraded`; absent if none did |
//! | `structural` | from the structure function alone: `availability`, `up_at_end` (estimate: share of replications up at the end of the horizon), `downtime_s_per_year`, `planned_downtime_s_per_year` (estimate: the planned part of its mean) and `outages_per_year`, `duration_s`, `mtbf_s`, `mttr_s` as above |
//! | `queues.<name>` | where there are message queues: `messages` counted (`published` is the sum of `done`, `dead`, `lost` and `left`), `full`, the share of attempts to publish that found no room, `delivered_per_message`, `redelivered_per_message`, the shares `dead` and `lost`, `backlog`, the mean number in the queue or in work, `backlog_largest_seen` waiting, `time_s` from publishing to done |
//! | `services.<name>.connections.<to>` | where a service keeps connections: `opened` and `shed`, the shares of attempts for which one had to be opened and that got none, `wait_s`, the mean wait for one of all |
//! | `services.<name>` | `kind` (`service`, `cache`, `store`, `external`, `queue`, `balancer`), `structural` as above without downtime and `up_at_end`, `calls`: `null` or `availability`, `attempts_per_call`, `attempts_per_request` (issued, of any journey), `utilisation`, `wait_s` (estimates or `null`) and `latency_s`; `recovery`: `null` but for stores that choose a leader: `per_year` (losses of the leader that were noticed or moved the lead, planned switchovers apart), `rto_s` (recovery time), `rto_ends` (what ends it: `first_answer`, the first attempt that the new leader answers well, where requests are simulated and calls ask the leader, in the histories with traffic; `leader_unasked`, a member that leads, as no call asks it; `leader_no_traffic`, the same, as no requests are simulated), `lead_s` (from the fault to a member that leads, in every history) and `rpo_s` (seconds of acknowledged writes lost where another member took over, `null` unless the file says how the store replicates): `mean`, `p50`, `p90`, `p99` (estimates or `null`), `writes_lost_per_year` (estimate or `null`) |
//! | `journeys.<workload>.<journey>` | one key each: `structural` availability, `availability`, `latency_s` |
//! | `users.<workload>` | of users in closed loops only, absent without any: `count`, `requests_per_second` (the mean that they made) and `lost_demand` (estimate or `null`: the share of the requests that they would have made without faults and did not make) |
//! | `causes[]` | `fault` (or `load`, `base`), `phase` (`detect`, `decide`, `promote`, `converge`, `repair`, `warm up` or `null`), `planned` (whether it is planned work), estimates `failed_per_million` (of issued requests), `downtime_s_per_year`, `structural_downtime_s_per_year`; each column adds up to its total |
//! | `targets[]` | `expression`, `line` of the file, `verdict` (`met`, `missed`, `undecided`), `measured` (estimate with the confidence that decides, or `null`), `relation` (`>=` or `<=`), `required` (same unit as `measured`), `shown` (what the expression names), `unit` (`share`, `seconds`, `per_year`, `number`, `latency` (of requests, or of messages until they are done) or `recovery`: then `measured` and `required` are shares of requests or recoveries within the bound and `shown` is in seconds), `periods` (for targets on periods what `measured` counts: `of` (`calendar`: whole periods one after the other; `rolling`: histories, by the worst of all periods in them; `history`: histories), `length_s`, `counted` (the share that `kept` or `missed` the bound), `bound` (a share or seconds), `excluding_planned`; else `null`), `missed_by_histories` (the share of histories that miss the bound by themselves, for targets on the availability or downtime of everything; else `null`); `break_even[]`, only with `--break-even`: `input` (such as `app.crash.every`), `times_as` (`often`, `long` or, of coverage, `failing`), `met` (by the figure, with the input as it is), `factor` (at which the target turns, others alike, or `null`), `between` (the factors it lies between: of targets on requests, where the figure was clearly on either side), `tried` (the furthest factor at which it had not turned) and `unturned` (why there is no factor: `not_yet`, `too_close` or `too_costly`) |
//! | `cost` | `null` if the file states no price; else `currency` (text, empty if not named), `per_month`, `items[]`: `component`, `count`, `each_per_month`, `per_month`, and `without_price[]`, names of components |
//! | `needs_at_peak[]` | pools that state `needs: at_peak`: `pool`, `needs` (replicas that carry the load at the busiest time), `replicas`, `busy_workers` (in use then, on average), `workers` (of one replica), `utilisation` (share of them that may be in use), `at_s` (the busiest minute, since Monday 00:00) |
//! | `peak` | the system at the busiest minute of the week when nothing is lost, `null` without traffic: `at_s` (since Monday 00:00), `rate_per_s`, `utilisation` (by pool with limited workers: calculated share of the workers of all that serve, above 1 if it is too much, `null` if none serves), `journeys_down[]` (names), `lost_share` (estimate: requests that fail or are never answered; `null` if it costs too much to simulate), `latency_p99_s` (estimate or `null`, of the others), `left_out` (number of parts not looked at) |
//! | `single_losses[]` | the same for each single loss once everything has settled, worst first; `null` without traffic: `lost` (name of the part), `kind` (`replica`, `cache`, `member`, `balancer`, `machine`, or the kind of a domain), `alike[]` (names of parts whose loss leaves the same), `utilisation`, `journeys_down[]`, `lost_share`, `latency_p99_s` as in `peak` |
//! | `inputs` | absent if the file has no range: `ranges[]` (`field`, `line`, `low`, `high` as written), `draws` (of all ranges together), `draws_asked` (more if the run was ended before), `replications` and `traffic_replications` of each draw (0: figures of requests are left out), `figures` by their place in this file: `low`, `high`, `mean` and `deviation` over the draws, `simulation_error` (half a 95 % interval of one draw, mean). With it, `targets[].inputs` (`null` if not judged): `low` and `high` of `shown`, `met_in` so many of `draws`. All other figures are those with every range at its middle |
//! | `warnings[]` | texts |

mod inputs;
mod peak;
mod rare;
mod run;
mod tree;

use crate::experiment::outcome::{
    Bill, BreakEven, Calls, Condition, Connections, Downtime, Estimate, Latency, Outages, Outcome,
    QueueRow, Recovery, RecoveryEnd, RequestCounts, Requests, Service, Spans, TargetRow, Unit,
    Verdict,
};
use crate::model::{Method, Over, PeriodBound};
pub(super) use tree::Json;

/// The version of the format.
pub const FORMAT: u64 = 1;

/// Name and version of the program, as results state it.
pub const ENGINE: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// The text of `result.json`.
pub fn json(outcome: &Outcome) -> String {
    result(outcome).pretty()
}

/// The same for a `<script>` element of a page: nothing in it can end the element.
pub(crate) fn json_for_html(outcome: &Outcome) -> String {
    // `<` occurs only inside strings, where its escape means the same.
    json(outcome).replace('<', "\\u003c")
}

fn result(o: &Outcome) -> Json {
    let mut fields = vec![
        ("format", Json::integer(FORMAT)),
        (
            "scenario",
            Json::object([("name", Json::text(&o.name)), ("hash", Json::text(&o.hash))]),
        ),
        ("run", run::run(o)),
        (
            "availability",
            Json::object([
                ("request", maybe(o.availability.request.as_ref())),
                ("full", maybe(o.availability.full.as_ref())),
                ("time", maybe(o.availability.time.as_ref())),
                ("structural", estimate(&o.availability.structural)),
            ]),
        ),
        (
            "downtime_s_per_year",
            o.downtime.as_ref().map_or(Json::Null, downtime),
        ),
        (
            "outages",
            o.outages.as_ref().map_or(Json::Null, |outages| {
                let mut fields = vec![("per_year", estimate(&outages.per_year))];
                fields.extend(spells(outages));
                Json::object(fields)
            }),
        ),
        (
            "planned_downtime_s_per_year",
            maybe(o.planned_downtime.as_ref()),
        ),
        ("requests", o.requests.as_ref().map_or(Json::Null, requests)),
        ("latency_s", o.latency.as_ref().map_or(Json::Null, latency)),
        (
            "latency_s_by_condition",
            Json::object(
                o.latency_by_condition
                    .iter()
                    .map(|(c, l)| (condition_name(*c), latency(l))),
            ),
        ),
        ("structural", structural(o)),
        (
            "services",
            Json::object(
                o.services
                    .iter()
                    .map(|row| (row.name.as_str(), service(row))),
            ),
        ),
        (
            "queues",
            Json::object(o.queues.iter().map(|row| (row.name.as_str(), queue(row)))),
        ),
        (
            "journeys",
            Json::object(o.journeys.iter().map(|row| {
                let figures = Json::object([
                    ("structural", estimate(&row.structural)),
                    ("availability", maybe(row.availability.as_ref())),
                    (
                        "latency_s",
                        row.latency.as_ref().map_or(Json::Null, latency),
                    ),
                ]);
                (row.name.as_str(), figures)
            })),
        ),
        (
            "users",
            Json::object(o.users.iter().map(|row| {
                let figures = Json::object([
                    ("count", Json::integer(row.count.into())),
                    ("requests_per_second", Json::number(row.rate)),
                    ("lost_demand", maybe(row.lost_demand.as_ref())),
                ]);
                (row.name.as_str(), figures)
            })),
        ),
        (
            "causes",
            Json::list(o.causes.iter().map(|row| {
                Json::object([
                    ("fault", Json::text(&row.fault)),
                    (
                        "phase",
                        row.phase
                            .map_or(Json::Null, |phase| Json::text(phase.word())),
                    ),
                    ("planned", Json::Bool(row.planned)),
                    ("failed_per_million", maybe(row.failed_per_million.as_ref())),
                    (
                        "downtime_s_per_year",
                        maybe(row.downtime_s_per_year.as_ref()),
                    ),
                    (
                        "structural_downtime_s_per_year",
                        estimate(&row.structural_downtime_s_per_year),
                    ),
                ])
            })),
        ),
        (
            "targets",
            Json::list(o.targets.iter().enumerate().map(|(index, row)| {
                let mut fields =
                    target(row, o.break_even.get(index).map_or(&[][..], Vec::as_slice));
                if let Some(all) = &o.inputs {
                    fields.push(("inputs", inputs::target(all, index)));
                }
                Json::object(fields)
            })),
        ),
        ("cost", o.cost.as_ref().map_or(Json::Null, bill)),
    ];
    fields.push(("needs_at_peak", peak::needs(&o.needs_at_peak)));
    fields.extend(peak::fields(o.at_peak.as_ref()));
    let warnings = o.warnings.iter().map(|text| Json::text(text));
    fields.push(("warnings", Json::list(warnings)));
    fields.extend(o.inputs.as_ref().map(|all| ("inputs", inputs::inputs(all))));
    // Absent where there can be none.
    let absent = |name: &str| match name {
        "users" => o.users.is_empty(),
        "queues" => o.queues.is_empty(),
        _ => false,
    };
    Json::object(fields.into_iter().filter(|(name, _)| !absent(name)))
}

pub(super) fn estimate(e: &Estimate) -> Json {
    Json::object([
        ("value", Json::number(e.value)),
        ("low", Json::number(e.low)),
        ("high", Json::number(e.high)),
        ("confidence", Json::number(e.confidence)),
        ("n", Json::integer(e.n)),
    ])
}

pub(super) fn maybe(e: Option<&Estimate>) -> Json {
    e.map_or(Json::Null, estimate)
}

fn pairs(points: &[(f64, f64)]) -> Json {
    Json::list(
        points
            .iter()
            .map(|&(x, y)| Json::list([Json::number(x), Json::number(y)])),
    )
}

fn downtime(d: &Downtime) -> Json {
    Json::object([
        ("mean", estimate(&d.mean)),
        ("p50", maybe(d.p50.as_ref())),
        ("p90", maybe(d.p90.as_ref())),
        ("p95", maybe(d.p95.as_ref())),
        ("p99", maybe(d.p99.as_ref())),
        ("none", estimate(&d.none)),
        ("exceedance", pairs(&d.exceedance)),
    ])
}

/// What is said about the length of outages.
fn spells(o: &Outages) -> [(&'static str, Json); 3] {
    [
        (
            "duration_s",
            Json::object([
                ("mean", maybe(o.duration_mean.as_ref())),
                ("p50", maybe(o.duration_p50.as_ref())),
                ("p99", maybe(o.duration_p99.as_ref())),
            ]),
        ),
        ("mtbf_s", maybe(o.mtbf.as_ref())),
        ("mttr_s", maybe(o.duration_mean.as_ref())),
    ]
}

fn structural(o: &Outcome) -> Json {
    let mut fields = vec![
        ("availability", estimate(&o.availability.structural)),
        ("up_at_end", estimate(&o.availability.structural_at_end)),
        ("downtime_s_per_year", downtime(&o.structural_downtime)),
        (
            "planned_downtime_s_per_year",
            estimate(&o.structural_planned_downtime),
        ),
        ("outages_per_year", estimate(&o.structural_outages.per_year)),
    ];
    fields.extend(spells(&o.structural_outages));
    Json::object(fields)
}

fn counts(c: &RequestCounts) -> [(&'static str, Json); 5] {
    [
        ("issued", Json::integer(c.issued)),
        ("good", Json::integer(c.good)),
        ("degraded", Json::integer(c.degraded)),
        ("failed", Json::integer(c.failed)),
        ("in_flight", Json::integer(c.in_flight)),
    ]
}

fn requests(r: &Requests) -> Json {
    let by_cause = r
        .failed_by_cause
        .iter()
        .map(|(name, n)| (name.as_str(), Json::number(*n)));
    let mut fields = counts(&r.total).to_vec();
    fields.push(("failed_by_cause", Json::object(by_cause)));
    fields.push(("failed_planned", Json::number(r.failed_planned)));
    fields.push(("simulated", Json::object(counts(&r.simulated))));
    Json::object(fields)
}

fn latency(l: &Latency) -> Json {
    Json::object([
        ("mean", estimate(&l.mean)),
        ("p50", estimate(&l.p50)),
        ("p90", estimate(&l.p90)),
        ("p95", estimate(&l.p95)),
        ("p99", estimate(&l.p99)),
        ("p999", estimate(&l.p999)),
        ("largest_seen", Json::number(l.largest_seen)),
        ("curve", pairs(&l.curve)),
    ])
}

fn service(row: &Service) -> Json {
    let mut structure = vec![
        ("availability", estimate(&row.structural)),
        (
            "outages_per_year",
            estimate(&row.structural_outages.per_year),
        ),
    ];
    structure.extend(spells(&row.structural_outages));
    let mut figures = vec![
        ("kind", Json::text(row.kind)),
        ("structural", Json::object(structure)),
        ("calls", row.calls.as_ref().map_or(Json::Null, calls)),
        (
            "recovery",
            row.recovery.as_ref().map_or(Json::Null, recovery),
        ),
    ];
    if !row.connections.is_empty() {
        let of = |one: &Connections| {
            Json::object([
                ("opened", maybe(one.opened.as_ref())),
                ("shed", maybe(one.shed.as_ref())),
                ("wait_s", maybe(one.wait_mean.as_ref())),
            ])
        };
        let all = row.connections.iter().map(|one| (one.to.as_str(), of(one)));
        figures.push(("connections", Json::object(all)));
    }
    Json::object(figures)
}

fn recovery(found: &Recovery) -> Json {
    Json::object([
        ("per_year", estimate(&found.per_year)),
        ("rto_s", of_events(&found.time)),
        (
            "rto_ends",
            Json::text(match found.ends {
                RecoveryEnd::FirstAnswer => "first_answer",
                RecoveryEnd::NobodyAsks => "leader_unasked",
                RecoveryEnd::NoTraffic => "leader_no_traffic",
            }),
        ),
        ("lead_s", of_events(&found.lead)),
        ("rpo_s", found.loss.as_ref().map_or(Json::Null, of_events)),
        (
            "writes_lost_per_year",
            maybe(found.writes_lost_per_year.as_ref()),
        ),
    ])
}

fn of_events(spans: &Spans) -> Json {
    Json::object([
        ("mean", maybe(spans.mean.as_ref())),
        ("p50", maybe(spans.p50.as_ref())),
        ("p90", maybe(spans.p90.as_ref())),
        ("p99", maybe(spans.p99.as_ref())),
    ])
}

fn queue(row: &QueueRow) -> Json {
    let names = ["published", "done", "dead", "lost", "left"];
    let counts = names.into_iter().zip(row.counts);
    Json::object([
        (
            "messages",
            Json::object(counts.map(|(name, count)| (name, Json::integer(count)))),
        ),
        ("full", maybe(row.full.as_ref())),
        ("delivered_per_message", maybe(row.delivered.as_ref())),
        ("redelivered_per_message", maybe(row.redelivered.as_ref())),
        ("dead", maybe(row.dead.as_ref())),
        ("lost", maybe(row.lost.as_ref())),
        ("backlog", maybe(row.backlog_mean.as_ref())),
        (
            "backlog_largest_seen",
            Json::integer(row.backlog_largest_seen),
        ),
        ("time_s", row.time.as_ref().map_or(Json::Null, latency)),
    ])
}

fn calls(c: &Calls) -> Json {
    Json::object([
        ("availability", maybe(c.availability.as_ref())),
        ("attempts_per_call", maybe(c.attempts_per_call.as_ref())),
        (
            "attempts_per_request",
            maybe(c.attempts_per_request.as_ref()),
        ),
        ("utilisation", maybe(c.utilisation.as_ref())),
        ("wait_s", maybe(c.wait_mean.as_ref())),
        ("latency_s", c.latency.as_ref().map_or(Json::Null, latency)),
    ])
}

pub(super) fn bill(bill: &Bill) -> Json {
    let items = bill.items.iter().map(|item| {
        Json::object([
            ("component", Json::text(&item.component)),
            ("count", Json::integer(item.count.into())),
            ("each_per_month", Json::number(item.each_per_month)),
            ("per_month", Json::number(item.per_month)),
        ])
    });
    Json::object([
        ("currency", Json::text(&bill.currency)),
        ("per_month", Json::number(bill.per_month)),
        ("items", Json::list(items)),
        (
            "without_price",
            Json::list(bill.without_price.iter().map(|name| Json::text(name))),
        ),
    ])
}

fn target(row: &TargetRow, inputs: &[BreakEven]) -> Vec<(&'static str, Json)> {
    vec![
        ("expression", Json::text(&row.expression)),
        ("line", Json::integer(row.line.into())),
        ("verdict", Json::text(verdict_name(row.verdict))),
        ("measured", maybe(row.measured.as_ref())),
        (
            "relation",
            Json::text(if row.at_least { ">=" } else { "<=" }),
        ),
        ("required", Json::number(row.required)),
        ("shown", row.shown.map_or(Json::Null, Json::number)),
        ("unit", Json::text(unit_name(row.unit))),
        (
            "periods",
            row.periods
                .as_ref()
                .map_or(Json::Null, |bound| periods(bound, row.at_least)),
        ),
        (
            "missed_by_histories",
            maybe(row.missed_by_histories.as_ref()),
        ),
        (
            "break_even",
            Json::list(inputs.iter().map(peak::break_even)),
        ),
    ]
}

fn periods(bound: &PeriodBound, kept: bool) -> Json {
    let (of, length) = match bound.over {
        Over::History => ("history", None),
        Over::Calendar(length) => ("calendar", Some(length)),
        Over::Rolling(length) => ("rolling", Some(length)),
    };
    Json::object([
        ("of", Json::text(of)),
        (
            "length_s",
            length.map_or(Json::Null, |length| Json::number(length.as_secs_f64())),
        ),
        ("counted", Json::text(if kept { "kept" } else { "missed" })),
        ("bound", Json::number(bound.bound)),
        ("excluding_planned", Json::Bool(bound.excluding_planned)),
    ])
}

pub(super) const fn method_name(method: Method) -> &'static str {
    match method {
        Method::None => "none",
        Method::Windows => "windows",
        Method::Exact => "exact",
    }
}

const fn condition_name(condition: Condition) -> &'static str {
    match condition {
        Condition::Healthy => "healthy",
        Condition::Failover => "failover",
        Condition::Degraded => "degraded",
    }
}

pub(super) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Missed => "missed",
        Verdict::Undecided => "undecided",
    }
}

const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "share",
        Unit::Seconds => "seconds",
        Unit::PerYear => "per_year",
        Unit::Number => "number",
        Unit::SharedLatency => "latency",
        Unit::SharedRecovery => "recovery",
    }
}
