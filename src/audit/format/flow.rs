//! Whether the zones and sources of a rule are those of the flow.

pub(super) use super::side::named;
use crate::audit::word::cited;
use crate::audit::{AddressSet, Applies, Destination, Question, Side};
use crate::prefix::Family;

/// Whether a rule for a zone or an interface is for the flow: as the question says, else as the name says.
pub(super) fn on(question: &Question, at: Side, name: &str) -> Applies {
    match question.on(at, name) {
        Applies::Maybe(why) => named(name).map_or(Applies::Maybe(why), |side| (side == at).into()),
        said => said,
    }
}

/// Whether any of the zones is on the way; `any` always is, and none at all is a doubt.
pub(super) fn on_any(question: &Question, at: Side, names: &[&str]) -> Applies {
    if names.is_empty() {
        return Applies::maybe("it says not for which zone or interface it is");
    }
    if names.iter().any(|name| name.eq_ignore_ascii_case("any")) {
        return Applies::Yes;
    }
    names.iter().fold(Applies::No, |any, name| any.or(on(question, at, name)))
}

/// Whether a rule for these sources is for the flow, and to which destinations: those of the sources' families.
pub(super) fn from(question: &Question, sources: &Destination, destination: Destination) -> (Destination, Applies) {
    let possible = sources.at_most();
    let families = [Family::V4, Family::V6].into_iter().filter(|&family| possible.addresses(family) > 0);
    let reach = families.fold(AddressSet::none(), |reach, family| reach.union(&AddressSet::family(family)));
    let destination = if reach.is_all() { destination } else { destination.intersection(&reach.clone().into()) };
    let everyone = !reach.is_empty() && sources.surely.covers(&reach);
    (destination, if everyone { Applies::Yes } else { question.from(sources) })
}

/// A condition that the file does not show to be met.
pub(super) fn only(what: &str, name: &str) -> Applies {
    Applies::maybe(format!("it holds only for {what} {}", cited(name)))
}

#[cfg(test)]
mod tests {
    use super::super::address::all;
    use super::*;

    #[test]
    fn what_the_question_says_comes_before_the_name() {
        let mut question = Question::default();
        assert_eq!(on(&question, Side::Outside, "untrust"), Applies::Yes);
        assert_eq!(on(&question, Side::Inside, "untrust"), Applies::No);
        assert!(matches!(on(&question, Side::Inside, "dmz"), Applies::Maybe(_)));
        assert_eq!(on_any(&question, Side::Inside, &["dmz", "trust"]), Applies::Yes);
        question.sides.insert("dmz".into(), Side::Inside);
        assert_eq!(on(&question, Side::Inside, "dmz"), Applies::Yes);
        assert_eq!(on(&question, Side::Inside, "trust"), Applies::No);
    }

    #[test]
    fn sources_of_one_family_reach_that_family() {
        let v4 = AddressSet::from(all(Family::V4)).into();
        let (destination, applies) = from(&Question::default(), &v4, Destination::any());
        assert_eq!((destination.surely.addresses(Family::V6), applies), (0, Applies::Yes));
    }
}
