//! Claims about whole files.

use super::{json_schema, load};
use crate::ids::Id;
use crate::model::{Method, ServedBy, Start, System};
use std::fmt::Write as _;

/// The system of a file that is right.
#[track_caller]
fn system(source: &str) -> System {
    match load(source.as_bytes(), "test.yaml") {
        Ok(loaded) => loaded.system,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

/// The messages of a file that is wrong.
#[track_caller]
fn messages(source: &str) -> Vec<String> {
    let problems = load(source.as_bytes(), "test.yaml").expect_err("this file is wrong");
    problems.messages().into_iter().map(str::to_owned).collect()
}

/// A file with these lines after the version, and one service.
fn with_app(lines: &str) -> String {
    format!("fivenines: 1\nservices:\n  app: {{operations: {{read: {{takes: 5ms}}}}}}\n{lines}")
}

fn hash(source: &str) -> String {
    load(source.as_bytes(), "test.yaml")
        .expect("this file is right")
        .hash
}

const ARTICLE_SITE: &str = include_str!("../../scenarios/article-site.yaml");

#[test]
fn the_article_site_means_what_its_comments_say() {
    let system = system(ARTICLE_SITE);
    assert_eq!(system.slots.len(), 6 + 1 + 3 + 2 + 2);
    assert_eq!(system.clocks.len(), 3 + 6 + 6 + 1 + 3 + 2 + 2);
    let names: Vec<&str> = system
        .journeys
        .iter()
        .map(|journey| journey.name.as_str())
        .collect();
    assert_eq!(names, ["readers.read", "readers.publish"]);
    let app4 = system
        .slots
        .iter()
        .find(|slot| slot.name == "app-4")
        .expect("app has six");
    assert_eq!(system.nodes[app4.node.expect("on web")].name, "web-4");
    assert_eq!(
        system.domains[app4.domain.expect("in a zone")].name,
        "north-a"
    );
    // The load of the comment: seconds of work per second at the peak, over the workers.
    let mean = |name: &str| {
        system
            .operations
            .iter()
            .find(|row| row.name == name)
            .expect("there")
            .takes
            .mean()
    };
    let read = mean("app.read") + mean("cache.get") + 0.15 * mean("articles.query");
    let publish = mean("app.publish") + mean("articles.write");
    let used =
        system.workloads.iter().next().expect("one").rate_max() * (0.98 * read + 0.02 * publish);
    assert!((0.50..0.55).contains(&(used / 36.0)), "{}", used / 36.0);
    assert!((0.75..0.80).contains(&(used / 24.0)), "{}", used / 24.0);
}

#[test]
fn every_shipped_scenario_is_right() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("readable").path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            system(&std::fs::read_to_string(&path).expect("text"));
            count += 1;
        }
    }
    assert!(count >= 3);
}

#[test]
fn all_problems_are_found_at_once() {
    let found = messages(
        "fivenines: 1\nnodes:\n  web: {cuont: 6}\nservices:\n  app:\n    replicas: 0\n    workers: many\n    faults: {crash: {every: 30, lasts: {weibull: {shape: 2}}}}\n    operations: {read: {takes: 20ms, calls: [{to: cache.gte}]}}\ncaches: {cache: {operations: {get: {takes: 1 fortnight}}}}\ntargets: [availability > 1, {a: b}]\n",
    );
    assert_eq!(
        found,
        [
            "unknown field `cuont`",
            "`replicas` is 0",
            "expected a whole number, found `many`",
            "`30` has no unit",
            "`shape` alone does not fix this distribution",
            "there is no operation `cache.gte`",
            "`fortnight` is no unit of time",
            "`>` is no comparison of targets",
            "expected a string, found a mapping",
        ]
    );
}

#[test]
fn a_problem_shows_its_place_and_a_way_out() {
    let problems = load(
        with_app("balancers: {edge: {to: ap}}\n").as_bytes(),
        "a/b.yaml",
    )
    .expect_err("wrong");
    let text = problems.render(false);
    assert!(
        text.contains("error: there is no service, cache or store named `ap`"),
        "{text}"
    );
    assert!(text.contains("--> a/b.yaml:4:24"), "{text}");
    assert!(text.contains("4 | balancers: {edge: {to: ap}}"), "{text}");
    assert!(text.contains("did you mean `app`?"), "{text}");
    assert!(text.ends_with("1 problem in a/b.yaml\n"), "{text}");
    assert!(problems.render(true).contains('\u{1b}'));
}

#[test]
fn what_an_alias_repeats_is_one_problem() {
    let found = messages("fivenines: 1\nservices:\n  a: &a {replicas: 0}\n  b: *a\n  c: *a\n");
    assert_eq!(found, ["`replicas` is 0"]);
}

#[test]
fn merge_keys_add_what_is_not_there() {
    let system = system(
        "fivenines: 1\nservices:\n  a: &a {replicas: 2, needs: 2}\n  b: {<<: *a, replicas: 3}\n",
    );
    let rows: Vec<(usize, u32)> = system
        .pools
        .iter()
        .map(|pool| (pool.slots.len(), pool.needs))
        .collect();
    assert_eq!(rows, [(2, 2), (3, 2)]);
}

#[test]
fn json_is_read_by_the_same_parser() {
    let system = system(
        "{\"fivenines\": 1, \"run\": {\"horizon\": \"2y\", \"seed\": 3, \"start\": \"new\", \"method\": \"none\"},\n\t\"services\": {\"app\": {\"replicas\": 2}}}",
    );
    assert_eq!(system.run.seed, 3);
    assert_eq!(
        (system.run.start, system.run.method),
        (Start::New, Some(Method::None))
    );
    assert_eq!(system.name, "test");
}

#[test]
fn without_users_every_pool_is_part_of_a_journey() {
    let system = system(
        "fivenines: 1\nservices:\n  web: {operations: {page: {takes: 1ms, calls: [{to: db.read}]}, poll: {takes: 1ms}}}\n  batch: {}\nstores: {db: {members: 3, operations: {read: {takes: 1ms, from: quorum}, write: {takes: 1ms}}}}\nbalancers: {edge: {to: web}, spare: {to: batch}, other: {to: batch}}\n",
    );
    let names: Vec<&str> = system
        .journeys
        .iter()
        .map(|journey| journey.name.as_str())
        .collect();
    assert_eq!(names, ["web.page", "web.poll", "batch.up"]);
    let through: Vec<_> = system
        .journeys
        .iter()
        .map(|row| system.calls[row.calls[0]].through.map(Id::index))
        .collect();
    assert_eq!(through, [Some(0), Some(0), None]);
    assert!(
        system
            .warnings
            .iter()
            .any(|warning| warning.starts_with("spare, other: no call goes through"))
    );
    assert!(system.workloads.is_empty());
}

#[test]
fn pools_that_call_each_other_are_reached_all_the_same() {
    let system = system(
        "fivenines: 1\nservices:\n  a: {operations: {x: {takes: 1ms, calls: [{to: b.y}]}, w: {takes: 1ms}}}\n  b: {operations: {y: {takes: 1ms}, z: {takes: 1ms, calls: [{to: a.w}]}}}\n",
    );
    let names: Vec<&str> = system
        .journeys
        .iter()
        .map(|journey| journey.name.as_str())
        .collect();
    assert_eq!(names, ["a.x", "b.z"]);
}

#[test]
fn a_workload_names_journeys_operations_and_calls() {
    let source = with_app(
        "stores: {db: {members: 1, operations: {q: {takes: 1ms, from: leader}}}}\nbalancers: {edge: {to: app}}\njourneys: {checkout: {calls: [{to: app.read}, {to: db.q}], good_within: 1s}, spare: {calls: [{to: app.read}]}}\nworkload:\n  w: {arrive: {poisson: 3/min}, journeys: {read: 50%, checkout: 50%}, through: edge, patience: 3s, good_within: 2s}\n  v: {arrive: {poisson: 1/s}, journeys: {db.q: 99.9%, checkout: 0.1%}}\ntargets: [v.db.q.latency.p99 <= 1s]\n",
    );
    let system = system(&source);
    let rows: Vec<_> = system
        .journeys
        .iter()
        .map(|row| {
            let through = system.calls[row.calls[0]].through.is_some();
            (
                row.name.as_str(),
                row.calls.len(),
                through,
                row.good_within.map(|span| span.as_secs_f64()),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("w.read", 1, true, Some(2.0)),
            ("w.checkout", 2, true, Some(1.0)),
            ("v.db.q", 1, false, None),
            ("v.checkout", 2, false, Some(1.0)),
        ]
    );
    assert_eq!(
        system.calls.len(),
        6,
        "a journey that nobody makes leaves no calls"
    );
    assert!(
        system
            .warnings
            .contains(&"spare: no workload makes this journey".to_owned())
    );
    assert_eq!(
        system
            .operations
            .iter()
            .filter(|row| row.served_by == ServedBy::Leader)
            .count(),
        1
    );
}

#[test]
fn comments_layout_units_and_the_name_of_the_file_do_not_change_the_hash() {
    let one =
        hash("fivenines: 1\nname: x\nservices:\n  app: {replicas: 2, starts_in: 60s} # two\n");
    let same = hash("{fivenines: 1,\n\n services: {app: {starts_in: 1m, replicas: 2}}}");
    assert_eq!(one, same);
    assert_eq!(one.len(), 16);
    assert_ne!(
        one,
        hash("fivenines: 1\nservices: {app: {replicas: 3, starts_in: 60s}}\n")
    );
    assert_ne!(
        one,
        hash("fivenines: 1\nservices: {apq: {replicas: 2, starts_in: 60s}}\n")
    );
}

#[test]
fn what_never_fails_is_warned_about() {
    let system = system(
        "fivenines: 1\ndomains: {z: {faults: {power: {every: 100d, lasts: 1h}}}, empty: {}}\nnodes: {n: {}}\nservices: {safe: {}, zoned: {across: [z]}}\n",
    );
    assert_eq!(
        system.warnings,
        [
            "safe is assumed never to fail: it has no fault",
            "n is assumed never to fail: it has no fault",
            "n: nothing runs on these machines",
            "empty: nothing stands in this domain",
            "no fault of kind release, configuration or human error is stated: real systems lose most of their time there",
        ]
    );
}

#[test]
fn parents_come_before_their_children_whatever_the_order() {
    let system = system(
        "fivenines: 1\ndomains: {rack: {in: zone}, zone: {in: region}, region: {}}\nservices: {app: {across: [rack]}}\n",
    );
    let names: Vec<&str> = system.domains.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["region", "zone", "rack"]);
    assert!(
        system
            .domains
            .pairs()
            .all(|(id, row)| row.parent.is_none_or(|parent| parent < id))
    );
}

#[test]
fn a_hundred_problems_are_not_all_printed() {
    let mut source = String::from("fivenines: 1\nservices:\n");
    for index in 0..62 {
        let _ = writeln!(source, "  s{index}: {{replicas: 0}}");
    }
    let problems = load(source.as_bytes(), "many.yaml").expect_err("wrong");
    let text = problems.render(false);
    assert_eq!(problems.count(), 62);
    assert_eq!(text.matches("error:").count(), 50);
    assert!(text.contains("and 12 more"));
}

/// Every key of every shipped scenario is a property somewhere in the schema, or a name.
#[test]
fn the_schema_describes_every_field() {
    let schema: serde_json::Value =
        serde_json::from_str(&json_schema()).expect("the schema is JSON");
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["required"], serde_json::json!(["fivenines"]));
    let text = schema.to_string();
    assert!(
        !text.contains("\"null\""),
        "a field without a value is no field"
    );
    assert!(text.contains(&serde_json::json!(super::units::SPAN_PATTERN).to_string()));
    // Every object that lists properties is closed, and every property is explained.
    fn walk(value: &serde_json::Value, properties: &mut usize) {
        if let Some(object) = value.as_object() {
            if let Some(fields) = object
                .get("properties")
                .and_then(|fields| fields.as_object())
            {
                // Or open to names of the file's own, which are explained too.
                let others = object.get("additionalProperties");
                let closed = others == Some(&serde_json::Value::Bool(false));
                let named = others.is_some_and(|others| others.get("description").is_some());
                assert!(closed || named, "{value}");
                for (name, field) in fields {
                    *properties += 1;
                    // A choice explains itself beside its only field.
                    let explained = field
                        .get("description")
                        .or(object.get("description"))
                        .is_some();
                    assert!(explained, "{name}: {field}");
                }
            }
            object.values().for_each(|value| walk(value, properties));
        } else if let Some(items) = value.as_array() {
            items.iter().for_each(|value| walk(value, properties));
        }
    }
    let mut properties = 0;
    walk(&schema, &mut properties);
    assert!(properties > 90, "{properties}");
}

/// The schema in `scenarios/`, which the first line of each scenario names.
#[test]
fn the_schema_beside_the_scenarios_is_the_present_one() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scenarios/fivenines.schema.json"
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, json_schema()).expect("writable");
    }
    let there = std::fs::read_to_string(path).expect("the schema is there");
    assert!(there == json_schema(), "UPDATE_GOLDEN=1 writes it anew");
}

/// Whether `value` fits `schema`, as far as types and keys go: enough to see that an editor accepts
/// what the program accepts. Patterns are left to the tests of units.
fn fits(value: &serde_json::Value, schema: &serde_json::Value, root: &serde_json::Value) -> bool {
    use serde_json::Value;
    let all = |list: &Value| {
        list.as_array()
            .into_iter()
            .flatten()
            .map(|one| fits(value, one, root))
            .collect::<Vec<_>>()
    };
    if let Some(name) = schema["$ref"].as_str() {
        return fits(value, root.pointer(&name[1..]).expect("a definition"), root);
    }
    let kind = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        Some("number") => value.is_number(),
        Some(other) => panic!("{other}"),
    };
    let listed = schema
        .get("enum")
        .is_none_or(|list| list.as_array().is_some_and(|list| list.contains(value)));
    let constant = schema.get("const").is_none_or(|only| only == value);
    let every = schema
        .get("allOf")
        .is_none_or(|list| all(list).into_iter().all(|fit| fit));
    let any = schema
        .get("anyOf")
        .is_none_or(|list| all(list).into_iter().any(|fit| fit));
    let one = schema
        .get("oneOf")
        .is_none_or(|list| all(list).into_iter().filter(|fit| *fit).count() == 1);
    let items = value
        .as_array()
        .into_iter()
        .flatten()
        .all(|item| schema.get("items").is_none_or(|of| fits(item, of, root)));
    let required = schema["required"].as_array().into_iter().flatten();
    let there = required
        .into_iter()
        .all(|name| value.get(name.as_str().expect("a name")).is_some());
    let keys = value.as_object().into_iter().flatten().all(|(key, of)| {
        match (
            schema["properties"].get(key),
            schema.get("additionalProperties"),
        ) {
            (Some(field), _) | (None, Some(field @ Value::Object(_))) => fits(of, field, root),
            (None, Some(Value::Bool(open))) => *open,
            (None, _) => true,
        }
    });
    kind && listed && constant && every && any && one && items && there && keys
}

#[test]
fn an_editor_accepts_the_shipped_scenarios_and_no_mistyped_key() {
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).expect("JSON");
    for source in [
        ARTICLE_SITE,
        include_str!("../../scenarios/two-replicas.yaml"),
        include_str!("../../scenarios/quorum-store.yaml"),
        include_str!("../../scenarios/retry-storm.yaml"),
    ] {
        let value: serde_json::Value = serde_saphyr::from_str(source).expect("YAML");
        assert!(fits(&value, &schema, &schema), "{source}");
        for (right, wrong) in [
            ("every:", "evry:"),
            ("takes:", "take:"),
            ("mean:", "maen:"),
            ("members:", "replicas:"),
        ] {
            if source.contains(right) {
                let value = serde_saphyr::from_str(&source.replace(right, wrong)).expect("YAML");
                assert!(!fits(&value, &schema, &schema), "{wrong}");
            }
        }
    }
}

#[test]
fn every_way_to_state_a_distribution_has_its_mean() {
    let mean = |text: &str| {
        let source = format!("fivenines: 1\nservices: {{app: {{starts_in: {text}}}}}\n");
        system(&source)
            .pools
            .iter()
            .next()
            .expect("one")
            .starts_in
            .mean()
    };
    let close = |text: &str, expected: f64| {
        let found = mean(text);
        assert!(
            (found / expected - 1.0).abs() < 1e-9,
            "{text}: {found} is not {expected}"
        );
    };
    close("90s", 90.0);
    close("{exponential: {mean: 30d}}", 2_592_000.0);
    close("{weibull: {shape: 0.75, mean: 657d}}", 56_764_800.0);
    close(
        "{weibull: {shape: 2, scale: 10s}}",
        10.0 * std::f64::consts::PI.sqrt() / 2.0,
    );
    // sigma = ln(p95 / median) / 1.6448536269514722, mean = median * exp(sigma^2 / 2).
    close(
        "{lognormal: {median: 1h, p95: 6h}}",
        3_600.0 * (0.5 * (6_f64.ln() / 1.644_853_626_951_472_2).powi(2)).exp(),
    );
    close(
        "{lognormal: {median: 2h, sigma: 1.2}}",
        7_200.0 * 0.72_f64.exp(),
    );
    close("{lognormal: {mean: 2h, sigma: 1.2}}", 7_200.0);
    close("{lognormal: {mu: -1.5, sigma: 1}}", (-1_f64).exp());
    close("{gamma: {shape: 2, mean: 1h}}", 3_600.0);
    close("{gamma: {shape: 2, scale: 30m}}", 3_600.0);
    close("{erlang: {k: 3, mean: 1h}}", 3_600.0);
    close("{uniform: {min: 8s, max: 20s}}", 14.0);
    close("{uniform: {min: 8s, max: 8s}}", 8.0);
    close(
        "{mixture: [{share: 90%, of: 10s}, {share: 10%, of: {exponential: {mean: 1m}}}]}",
        15.0,
    );
    close("{empirical: [1s, 2s, 6s]}", 3.0);
}
