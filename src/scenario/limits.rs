//! What a scenario file may ask for at most, and why: a file from a stranger's pull request must
//! not hang, crash or fill the machine. What it may *cost* is judged later, by the experiment.

/// Bytes of a file. The largest scenario that stays within the other limits is about half of that.
pub(super) const FILE_BYTES: usize = 1 << 20;

/// Brackets or indentations inside each other. A call within `on_miss` within `on_failure` takes
/// four levels, so this allows more fallbacks of fallbacks than anybody can follow.
pub(super) const NESTING: usize = 64;

/// Values in a file, aliases written out: the largest allowed scenario has about 150,000.
pub(super) const VALUES: usize = 250_000;

/// Values that come from aliases. `&a [*b, *b]`, ten times over, is a thousand copies; a scenario
/// that repeats a distribution for each of its zones needs a few hundred.
pub(super) const ALIASED_VALUES: usize = 100_000;

/// Services, caches, stores, third parties, message queues and balancers together. The biggest published call graphs of one
/// company have some thousands of services; a design under study is a part of that.
pub(super) const POOLS: usize = 2_000;

/// Replicas, members, balancer instances and, counted apart, machines: each costs some hundred
/// bytes in every regime.
pub(super) const SLOTS: usize = 10_000;

/// Fault clocks: each has an event pending all the time.
pub(super) const CLOCKS: usize = 10_000;

/// Faults of one component: more than that nobody knows apart, and counters of 16 bits hold them.
pub(super) const FAULTS_OF_ONE: usize = 60;

/// Milliseconds of each turn of a fault that comes and goes, in the mean: less than any failure that is
/// told from the next, and each turn is a transition.
pub(super) const TURN_MS: u64 = 100;

/// Times that one fault comes and goes while it lasts, in the mean: a link that flaps every second for
/// a day.
pub(super) const TURNS: f64 = 100_000.0;

/// Starts in a limit of starts.
pub(super) const STARTS: u64 = 1_000;

/// How often a start may fail: a hundred tries for each that works.
pub(super) const STARTS_FAIL: f64 = 0.99;

/// Crews that work side by side under one name.
pub(super) const CREWS: u64 = 10_000;

/// Parts in one stock: each has an order that may be on its way.
pub(super) const SPARES: u64 = 1_000;

/// The least urgent priority of a repair.
pub(super) const PRIORITY: u64 = 1_000;

/// Failure domains.
pub(super) const DOMAINS: usize = 1_000;

/// Links of the network: those between all pairs of thirty places.
pub(super) const LINKS: usize = 500;

/// Places that are ends of links: what is cut is kept for each pair of them, in every regime.
pub(super) const PLACES: usize = 32;

/// Seconds of a round trip, or added to one: beyond it no user is waiting any more.
pub(super) const ROUND_TRIP: f64 = 600.0;

/// Operations of all pools together.
pub(super) const OPERATIONS: usize = 20_000;

/// Call sites, those of each journey of each workload counted.
pub(super) const CALLS: usize = 20_000;

/// Calls within calls within calls: the simulator keeps one frame for each of a request in progress.
pub(super) const CALL_LEVELS: u32 = 64;

/// Attempts that one request can cause in the worst case, all retries used: beyond this a single
/// unlucky request would take longer to simulate than a quiet hour.
pub(super) const ATTEMPTS_PER_REQUEST: f64 = 10_000.0;

/// Calls that one fan-out makes at the same time.
pub(super) const FAN_OUT: u64 = 10_000;

/// Different priorities: each has a place in the queue of every slot.
pub(super) const PRIORITIES: usize = 32;

/// Pools of connections, one for each replica and each address: some 70 bytes each.
pub(super) const LINES: usize = 250_000;

/// Connections of one pool: the ports of a machine are not many more.
pub(super) const CONNECTIONS: u64 = 10_000;

/// Messages of one queue: 128 bytes each.
pub(super) const MESSAGES: u64 = 1_000_000;

/// From a delivery of a message to the next, at least, seconds: what nobody can do is tried again for ever.
pub(super) const REDELIVERY_S: u64 = 1;

/// Targets: the probability of a wrong verdict is shared among them.
pub(super) const TARGETS: usize = 500;

/// Periods of one target in a history: hours of ten years.
pub(super) const PERIODS: u64 = 100_000;

/// Numbers that are ranges: more than that nobody can tell apart in sixteen draws.
pub(super) const RANGES: usize = 20;

/// Replications that a file may ask for.
pub(super) const REPLICATIONS: u64 = 1_000_000_000;

/// Workers of one replica, or places in its queue.
pub(super) const WORKERS: u64 = 1_000_000;

/// Retries of one call; the limit on attempts per request is reached long before.
pub(super) const RETRIES: u64 = 1_000_000;

/// Requests per second of one workload; more would need a clock finer than a nanosecond.
pub(super) const RATE: f64 = 1e9;

/// Bytes of a trace of arrivals.
pub(super) const TRACE_BYTES: usize = 32 << 20;

/// Intervals of a trace: a year has 525,600 minutes.
pub(super) const TRACE_ROWS: usize = 600_000;

/// Traces that a file may name: each is read into memory.
pub(super) const TRACES: usize = 20;

/// Bytes of the name of another file.
pub(super) const PATH_BYTES: usize = 200;

/// Users of one workload in a closed loop: each is kept.
pub(super) const USERS: u64 = 1_000_000;

/// Years of the horizon, and of any fixed span. The clock holds 584 years, one of them before the
/// horizon.
pub(super) const YEARS: u128 = 500;

/// Characters of a text that is shown in titles: the name of the scenario, the kind of a domain.
pub(super) const TEXT_CHARS: usize = 200;

/// Bytes of a name.
pub(super) const NAME_BYTES: usize = 64;

/// Problems that are printed; the rest is counted. Nobody repairs more than that at once.
pub(super) const PROBLEMS_SHOWN: usize = 50;

/// Problems that are kept; a broken generator may make one for each value.
pub(super) const PROBLEMS_KEPT: usize = 10_000;

/// The largest price, in any currency: beyond it is a slip of the pen.
pub(super) const PRICE: f64 = 1e12;
