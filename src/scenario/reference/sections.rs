//! The sections of the page: which types stand where, what holds for all of them, and a whole example.

use serde_json::Value;

/// A section.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    /// What holds for all types of it; Markdown.
    pub(super) about: &'static str,
    /// The types that stand here, in order. One that no section names stands after the first that
    /// uses it.
    pub(super) types: &'static [&'static str],
    /// The file below `scenarios/language/`.
    pub(super) file: &'static str,
    /// What is in it.
    pub(super) example: &'static str,
}

impl Section {
    /// The example as the parser of values sees it.
    pub(super) fn example_value(&self) -> Value {
        serde_saphyr::from_str(self.example).unwrap_or_default()
    }
}

macro_rules! example {
    ($file:literal) => {
        include_str!(concat!("../../../scenarios/language/", $file))
    };
}

/// All sections, in the order of the page.
pub(super) const SECTIONS: &[Section] = &[
    Section {
        title: "The file",
        about: "What stands at the top of a file. A design needs at least one service, cache or store.",
        types: &["Scenario", "Prose"],
        file: "file.yaml",
        example: example!("file.yaml"),
    },
    Section {
        title: "Infrastructure",
        about: "What fails together: domains, which nest, and machines. What runs is dealt over them in turn, by `across` or `on`.",
        types: &["Domain", "Nodes", "Price"],
        file: "infrastructure.yaml",
        example: example!("infrastructure.yaml"),
    },
    Section {
        title: "The network",
        about: "What lies between places. Without it nothing takes time on its way, and nothing is lost. All links that lie between two places are crossed, one after the other.",
        types: &["Link", "LinkFaults"],
        file: "network.yaml",
        example: example!("network.yaml"),
    },
    Section {
        title: "Services, caches and stores",
        about: "What serves calls. Each replica or member is a queue with workers; it is up as far as `needs` says.",
        types: &[
            "Service",
            "ServiceOperation",
            "Cache",
            "PlainOperation",
            "Store",
            "StoreOperation",
        ],
        file: "services.yaml",
        example: example!("services.yaml"),
    },
    Section {
        title: "Third parties",
        about: "What others run: known by what their contract promises, called directly.",
        types: &["External", "ExternalOperation"],
        file: "third-parties.yaml",
        example: example!("third-parties.yaml"),
    },
    Section {
        title: "Message queues",
        about: "What is asked for now and done later, by workers that take from a queue.",
        types: &["Queue", "TakesFrom"],
        file: "queues.yaml",
        example: example!("queues.yaml"),
    },
    Section {
        title: "Balancers",
        about: "A balancer chooses a replica for each attempt, among those that its probes believe up. It has instances, which fail too.",
        types: &["Balancer"],
        file: "balancers.yaml",
        example: example!("balancers.yaml"),
    },
    Section {
        title: "Calls",
        about: "What an operation asks of others, after its own work. A failed attempt may be repeated, a failed call replaced, and what nobody waits for any more may stop.",
        types: &["Call"],
        file: "calls.yaml",
        example: example!("calls.yaml"),
    },
    Section {
        title: "What goes wrong",
        about: "What happens to components: by chance, or through what operators do.",
        types: &[
            "Faults",
            "DomainFaults",
            "Fault",
            "Maintenance",
            "Release",
            "Configuration",
            "Certificate",
        ],
        file: "faults.yaml",
        example: example!("faults.yaml"),
    },
    Section {
        title: "Repair",
        about: "Who puts things right. Without all this, each component has somebody of its own who begins at once.",
        types: &["Crew", "People", "Spares", "Common", "CommonCause"],
        file: "repair.yaml",
        example: example!("repair.yaml"),
    },
    Section {
        title: "Failover",
        about: "How a role moves to another member or instance, and what stands by.",
        types: &["StoreFailover", "BalancerFailover", "Standby"],
        file: "failover.yaml",
        example: example!("failover.yaml"),
    },
    Section {
        title: "Journeys and workload",
        about: "Who asks for what, how often, and how long they wait.",
        types: &["Workload", "Journey"],
        file: "workload.yaml",
        example: example!("workload.yaml"),
    },
    Section {
        title: "Targets",
        about: "What must hold. A target is judged by an interval of its own, so that all verdicts of a run together are wrong with a chance of at most 5 %.",
        types: &["Target"],
        file: "targets.yaml",
        example: example!("targets.yaml"),
    },
    Section {
        title: "The run",
        about: "How long a history is, and how it is simulated.",
        types: &["Run"],
        file: "run.yaml",
        example: example!("run.yaml"),
    },
    Section {
        title: "Distributions",
        about: "A length of time is constant, such as `90s`, or drawn. Every usual way to state a distribution works; numbers that contradict each other are mistakes.",
        types: &["Distribution", "Shape"],
        file: "distributions.yaml",
        example: example!("distributions.yaml"),
    },
    Section {
        title: "Units",
        about: "Quantities carry their units, so that nobody has to guess. A time, a percentage, a rate or a number (`factor: 2..8`, \
            `shape: 0.6..1.1`, `workers: 8..16`) that is not known may be a range with the low end first, `10m..2h`, anywhere but \
            in `run` and `targets`, which say what to simulate and what must hold; at most 20 in a file, and an alias of one is the same input. The figures are \
            then those of the design with every range at its middle: the geometric mean of times, rates and numbers above 0, the \
            arithmetic one of percentages, of whole numbers (rounded up) and of numbers that may be 0 or less. Beside them stands \
            what 16 draws of all ranges together find: lowest and highest value, deviation, and in how many draws a target is met. \
            In a draw any value is as likely as any other, on a logarithmic scale where the middle is a geometric mean; of whole \
            numbers each is as likely as any other. Whatever a field allows must hold at both ends and in each draw. \
            `check` takes a target for met only if every draw meets it.",
        types: &["Span", "Percent", "Rate", "TimeOfDay", "WeekTime"],
        file: "units.yaml",
        example: example!("units.yaml"),
    },
];
