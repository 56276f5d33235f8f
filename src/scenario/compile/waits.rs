//! How long somebody waits, and who is served first: patience of users, deadlines of calls,
//! disciplines of queues, priorities.

use super::Compiler;
use crate::ids::CallId;
use crate::model::{Discipline, Patience};
use crate::scenario::limits;
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::{CallForm, DisciplineForm, Priority, SpanDist};
use crate::time::SimSpan;
use std::collections::BTreeSet;

impl Compiler<'_> {
    /// How long users wait; never no time at all.
    pub(super) fn patience(&mut self, field: &Opt<SpanDist>) -> Option<Patience> {
        let at = field.as_ref()?;
        if let SpanDist::Constant(span) = at.get()? {
            let span = Some(At {
                place: at.place,
                value: Some(*span),
            });
            return self.positive(&span, "patience").map(Patience::Fixed);
        }
        let problems = self.problems.len();
        let dist = self.dist(field);
        let right = self.problems.len() == problems;
        if right && dist.quantile(0.01) <= 0.0 {
            self.problem(
                at.place,
                "users without any patience",
                "a user who leaves on arrival is no request; draw spans longer than 0s",
            );
        }
        Some(Patience::Drawn(dist))
    }

    /// How long a call may last; not shorter than what it waits for anyway.
    pub(super) fn deadline(&mut self, form: &CallForm) -> Option<SimSpan> {
        let deadline = self.positive(&form.deadline, "deadline")?;
        if let Some(at) = &form.timeout
            && let Some(timeout) = at.get().and_then(|span| span.fixed())
            && timeout >= deadline
        {
            self.problem(
                at.place,
                "`timeout` is not shorter than the deadline of the call",
                "the deadline ends the attempt first; remove the timeout, or let it be shorter",
            );
        }
        Some(deadline)
    }

    /// In which order a pool serves, checked against what else is said of its queue.
    pub(super) fn discipline(
        &mut self,
        stated: &Opt<DisciplineForm>,
        workers: &Opt<u64>,
        queue_timeout: &Opt<SpanDist>,
    ) -> Discipline {
        if let (Some(discipline), None) = (stated, workers) {
            self.problem(
                discipline.place,
                "`discipline` without `workers`",
                "requests wait or share only if the number of workers is limited; add `workers`",
            );
        }
        let discipline = match stated.as_ref().and_then(At::get) {
            None | Some(DisciplineForm::Fifo) => Discipline::Fifo,
            Some(DisciplineForm::Lifo) => Discipline::Lifo,
            Some(DisciplineForm::Priority) => Discipline::Priority,
            Some(DisciplineForm::ProcessorSharing) => Discipline::ProcessorSharing,
        };
        if let (Some(at), Discipline::ProcessorSharing) = (queue_timeout, discipline) {
            self.problem(
                at.place,
                "`queue_timeout` where nobody waits",
                "with `processor_sharing` work begins at once; remove it, or let requests queue",
            );
        }
        discipline
    }

    /// How urgent something is; noted, because somebody must care.
    pub(super) fn priority(&mut self, field: &Opt<Priority>) -> Option<i16> {
        let at = field.as_ref()?;
        let priority = at.get()?.0;
        self.priorities.get_or_insert(at.place);
        Some(priority)
    }

    /// Makes the calls of a list, and those that may follow them, as urgent as the journey that makes
    /// them, unless they say it themselves.
    pub(super) fn make_urgent(&mut self, calls: &[CallId], priority: i16) {
        let mut open = calls.to_vec();
        while let Some(call) = open.pop() {
            self.system.calls[call].priority.get_or_insert(priority);
            open.extend(self.system.followers(call));
        }
    }

    /// Refuses priorities that nobody looks at, and more of them than queues have places.
    pub(super) fn check_priorities(&mut self) {
        let Some(place) = self.priorities else { return };
        let mut by_priority = self.system.pools.iter().map(|pool| pool.discipline);
        if !by_priority.any(|discipline| discipline == Discipline::Priority) {
            self.problem(
                place,
                "`priority`, but nothing serves by priority",
                "say so where requests queue: `discipline: priority` beside `workers`",
            );
        }
        let calls = self.system.calls.iter();
        let all: BTreeSet<i16> = calls.filter_map(|call| call.priority).collect();
        self.over("different priorities", all.len(), limits::PRIORITIES, place);
    }
}
