//! What the actions do on criteria as rows: a field, a way to test it and a value are picked one after the other.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::conditions::{Conditions, Placing, Spot};
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::sheet::{RowId, Target};
use crate::console::app::toast::Tone;
use crate::console::view::text::{conditions as text, mapping as mapping_text};
use crate::domain::criteria::tree::{self, Junction, Line, Node, NodeKind};
use crate::domain::criteria::ways::{Needs, Way};
use crate::domain::criteria::{Criteria, CriteriaError, Expression};
use crate::domain::schema::{FieldKind, FieldSchema};
use crate::domain::side::Side;

/// What is picked to end a list of values; no value has a control character.
const DONE: &str = "\u{1}done";

impl App {
    /// Opens the criteria of the selected mapping.
    pub(crate) fn open_conditions(&mut self) -> Vec<Effect> {
        let Some(mapping) = self.mapping.selected() else {
            self.toasts.add(Tone::Info, mapping_text::NO_MAPPING_HERE, self.now);
            return Vec::new();
        };
        let only_platform = mapping.org_criteria.is_none() && mapping.platform_criteria.is_some();
        let side = if only_platform { Side::Platform } else { Side::Org };
        let conditions = Conditions::new(mapping.name.clone(), side);
        // What was counted when they were open last may be old.
        self.mapping.counts.clear();
        self.overlays.push(Overlay::Conditions(conditions));
        self.want_count();
        self.needed_schemas()
    }

    /// The criteria that an overlay shows, as far as they can be read.
    pub fn shown_criteria(&self, conditions: &Conditions) -> Option<Result<Criteria, CriteriaError>> {
        let mapping = self.mapping.named(&conditions.mapping)?;
        mapping.criteria(conditions.side).map(Criteria::parse)
    }

    /// The rows of an overlay.
    pub fn condition_lines(&self, conditions: &Conditions) -> Vec<Line> {
        match self.shown_criteria(conditions) {
            Some(Ok(criteria)) => tree::lines(&criteria),
            Some(Err(_)) | None => Vec::new(),
        }
    }

    /// What a field of a side of a mapping is, where it is described.
    pub fn kind_of_field(&self, mapping: &str, side: Side, field: &str) -> Option<FieldKind> {
        self.condition_field(mapping, side, field).map(|field| field.kind)
    }

    fn condition_field(&self, mapping: &str, side: Side, field: &str) -> Option<&FieldSchema> {
        self.mapping.described(side, self.mapping.named(mapping)?)?.field(field)
    }

    /// An action on the criteria on top.
    pub(crate) fn act_on_conditions(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Conditions(conditions)) = self.overlays.last() else { return Vec::new() };
        let (mapping, side) = (conditions.mapping.clone(), conditions.side);
        let criteria = self.shown_criteria(conditions);
        let lines = self.condition_lines(conditions);
        let line = lines.get(conditions.selection.place(lines.len())).cloned();
        if let Some(Overlay::Conditions(conditions)) = self.overlays.last_mut()
            && conditions.selection.act(action, lines.len())
        {
            return Vec::new();
        }
        match action {
            Action::NextPane | Action::PreviousPane => {
                if let Some(Overlay::Conditions(conditions)) = self.overlays.last_mut() {
                    *conditions = Conditions::new(mapping, side.other());
                }
                self.want_count();
                return self.needed_schemas();
            }
            Action::AsText => {
                self.ask_criteria_text(&mapping, side);
                return Vec::new();
            }
            Action::Undo | Action::Redo => {
                let effects = self.undo(action == Action::Undo);
                self.want_count();
                return effects;
            }
            _ => {}
        }
        // What can't be read is mended as text first.
        let criteria = match criteria {
            Some(Err(error)) => {
                self.toasts.add(Tone::Warning, text::unreadable(&error), self.now);
                return Vec::new();
            }
            Some(Ok(criteria)) => Some(criteria),
            None => None,
        };
        let path = line.as_ref().map(|line| line.path.clone()).unwrap_or_default();
        let spot = |placing| Spot { mapping: mapping.clone(), side, path: path.clone(), placing };
        match (action, &line, criteria) {
            (Action::Add, ..) | (Action::Open, None, _) => {
                self.pick_condition_field(spot(Placing::Beside(Junction::And)))
            }
            (Action::AddOr, ..) => self.pick_condition_field(spot(Placing::Beside(Junction::Or))),
            (Action::Open, Some(line), Some(criteria)) => match &line.node.kind {
                NodeKind::Test(test) => self.edit_condition(spot(Placing::Instead), test),
                NodeKind::Group(..) => {
                    self.put_criteria(&mapping, side, Some(&tree::switch(&criteria, &path)));
                    Vec::new()
                }
            },
            (Action::Toggle, Some(_), Some(criteria)) => {
                self.put_criteria(&mapping, side, Some(&tree::switch(&criteria, &path)));
                Vec::new()
            }
            (Action::Negate, Some(_), Some(criteria)) => {
                self.put_criteria(&mapping, side, Some(&tree::negate(&criteria, &path)));
                Vec::new()
            }
            (Action::Delete, Some(_), Some(criteria)) => {
                let left = if path.is_empty() { None } else { tree::remove(&criteria, &path) };
                self.put_criteria(&mapping, side, left.as_ref());
                self.toasts.add(Tone::Info, text::REMOVED_UNDO, self.now);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn put_criteria(&mut self, mapping: &str, side: Side, criteria: Option<&Criteria>) {
        let written = criteria.map(ToString::to_string);
        self.mapping.edit(mapping, |mapping| match side {
            Side::Org => mapping.org_criteria = written,
            Side::Platform => mapping.platform_criteria = written,
        });
        self.review_mappings();
        self.want_count();
    }

    /// Asks for the criteria as text; the same text that the rows are made of.
    pub(crate) fn ask_criteria_text(&mut self, mapping: &str, side: Side) {
        let row = match side {
            Side::Org => RowId::OrgCriteria,
            Side::Platform => RowId::PlatformCriteria,
        };
        self.ask_row(Target::Mapping(mapping.to_owned()), row);
    }

    fn pick_condition_field(&mut self, spot: Spot) -> Vec<Effect> {
        let (side, mapping) = (spot.side, spot.mapping.clone());
        self.pick_field(side, &mapping, Picked::ConditionField(spot))
    }

    /// Goes through a condition again, everything chosen as it is.
    fn edit_condition(&mut self, spot: Spot, test: &Expression) -> Vec<Effect> {
        let (Expression::Compare { field, .. } | Expression::OneOf { field, .. }) = test else {
            return Vec::new();
        };
        self.pick_way(spot, field.clone());
        Vec::new()
    }

    /// The condition that a spot replaces.
    fn replaced(&self, spot: &Spot) -> Option<Node> {
        if spot.placing != Placing::Instead {
            return None;
        }
        let criteria = Criteria::parse(self.mapping.named(&spot.mapping)?.criteria(spot.side)?).ok()?;
        tree::lines(&criteria).into_iter().find(|line| line.path == spot.path).map(|line| line.node)
    }

    /// The way and values that a spot held, where they fit this field.
    fn held(&self, spot: &Spot, field: &str) -> Option<(Way, Vec<String>)> {
        let NodeKind::Test(test) = self.replaced(spot)?.kind else { return None };
        let (Expression::Compare { field: known, .. } | Expression::OneOf { field: known, .. }) = &test
        else {
            return None;
        };
        known
            .eq_ignore_ascii_case(field)
            .then(|| Way::of(&test, self.kind_of_field(&spot.mapping, spot.side, field)))?
    }

    fn pick_way(&mut self, spot: Spot, field: String) {
        let kind = self.kind_of_field(&spot.mapping, spot.side, &field).unwrap_or_default();
        let held = self.held(&spot, &field).map(|(way, _)| way);
        let mut ways: Vec<Way> = Way::for_kind(kind).to_vec();
        // What was written by hand can be anything.
        ways.extend(held.filter(|held| !ways.contains(held)));
        let items: Vec<Item> =
            ways.iter().map(|way| Item::new(way.words(kind), [way.words(kind).to_owned()])).collect();
        let mut picker = Picker::new(field.clone(), &[], items, Picked::ConditionWay { spot, field });
        picker.choose(held.map(|way| way.words(kind)).unwrap_or_default());
        self.overlays.push(Overlay::Picker(picker));
    }

    /// A choice on the way to a condition.
    pub(crate) fn picked_for_condition(&mut self, picked: Picked, id: &str) -> Vec<Effect> {
        match picked {
            Picked::ConditionField(spot) => self.pick_way(spot, id.to_owned()),
            Picked::ConditionWay { spot, field } => {
                let kind = self.kind_of_field(&spot.mapping, spot.side, &field).unwrap_or_default();
                let Some(way) = Way::ALL.into_iter().find(|way| way.words(kind) == id) else {
                    return Vec::new();
                };
                let values = self
                    .held(&spot, &field)
                    .filter(|(held, _)| held.needs() == way.needs())
                    .map(|held| held.1);
                self.ask_condition_value(spot, field, way, values.unwrap_or_default());
            }
            Picked::ConditionValue { spot, field, way } => {
                if let Err(sentence) = self.put_condition(&spot, &field, way, &[id.to_owned()]) {
                    self.toasts.add(Tone::Warning, sentence, self.now);
                }
            }
            Picked::ConditionValues { spot, field, way, mut values } => {
                if id != DONE {
                    match values.iter().position(|value| value.eq_ignore_ascii_case(id)) {
                        Some(place) => drop(values.remove(place)),
                        None => values.push(id.to_owned()),
                    }
                    self.pick_values(spot, field, way, values);
                } else if let Err(sentence) = self.put_condition(&spot, &field, way, &values) {
                    self.toasts.add(Tone::Warning, sentence, self.now);
                    self.pick_values(spot, field, way, values);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn ask_condition_value(&mut self, spot: Spot, field: String, way: Way, values: Vec<String>) {
        match way.needs() {
            Needs::Nothing => {
                // Nothing can be wrong with no value.
                let _ = self.put_condition(&spot, &field, way, &[]);
            }
            Needs::Values => self.pick_values(spot, field, way, values),
            Needs::Value => {
                let known = self.condition_field(&spot.mapping, spot.side, &field);
                let kind = known.map(|field| field.kind).unwrap_or_default();
                let whole = matches!(way, Way::Is | Way::IsNot) || kind == FieldKind::Set;
                let picklist = known.map(|field| field.picklist.clone()).unwrap_or_default();
                let title = format!("{field} {}", way.words(kind));
                if whole && !picklist.is_empty() {
                    let item = |value: &String| Item::new(value, [String::new(), value.clone()]);
                    let mut items: Vec<Item> = picklist.iter().map(item).collect();
                    // What stands there now is kept by Enter, also where no picklist has it.
                    items.extend(values.first().filter(|value| !picklist.contains(value)).map(item));
                    let purpose = Picked::ConditionValue { spot, field, way };
                    let mut picker = Picker::new(title, &[], items, purpose);
                    picker.open = Some((String::new(), text::OTHER_VALUE));
                    if let Some(value) = values.first() {
                        picker.choose(value);
                    }
                    self.overlays.push(Overlay::Picker(picker));
                } else {
                    self.overlays.push(Overlay::Prompt(Prompt::new(
                        title,
                        text::value_help(way, kind),
                        values.first().map_or("", String::as_str),
                        Asked::ConditionValue { spot, field, way },
                    )));
                }
            }
        }
    }

    /// Values are chosen one by one: each choice ticks one, and the first line ends it.
    fn pick_values(&mut self, spot: Spot, field: String, way: Way, values: Vec<String>) {
        let known = self.condition_field(&spot.mapping, spot.side, &field);
        let kind = known.map(|field| field.kind).unwrap_or_default();
        let picklist = known.map(|field| field.picklist.clone()).unwrap_or_default();
        let ticked = |value: &str| values.iter().any(|chosen| chosen.eq_ignore_ascii_case(value));
        let mut items = vec![Item::new(DONE, [String::new(), text::done(&values)]).unsearched()];
        let others = values.iter().filter(|value| !picklist.iter().any(|known| known == *value));
        for value in others.chain(&picklist) {
            let sign = if ticked(value) { text::TICKED } else { text::UNTICKED };
            let shown = if value.is_empty() { text::BLANK_VALUE } else { value };
            items.push(Item::new(value, [sign.to_owned(), shown.to_owned()]));
        }
        let title = format!("{field} {}", way.words(kind));
        let purpose = Picked::ConditionValues { spot, field, way, values };
        let mut picker = Picker::new(title, &[], items, purpose);
        picker.open = Some((String::new(), text::ADD_VALUE));
        self.overlays.push(Overlay::Picker(picker));
    }

    /// Puts a condition where it was chosen for; a sentence where its value can't be one.
    pub(crate) fn put_condition(
        &mut self,
        spot: &Spot,
        field: &str,
        way: Way,
        values: &[String],
    ) -> Result<(), String> {
        let kind = self.kind_of_field(&spot.mapping, spot.side, field).unwrap_or_default();
        let mut new = Node::test(&way.test(field, kind, values)?);
        // Whoever only changes the value of a negated condition leaves it negated.
        if self.held(spot, field).is_some_and(|(held, _)| held == way) {
            new.negated = self.replaced(spot).is_some_and(|replaced| replaced.negated);
        }
        let now = self.mapping.named(&spot.mapping).and_then(|mapping| mapping.criteria(spot.side));
        let now = now.and_then(|text| Criteria::parse(text).ok());
        let changed = match (&now, spot.placing) {
            (Some(criteria), Placing::Instead) => tree::replace(criteria, &spot.path, new.clone()),
            (now, Placing::Beside(junction)) => tree::add(now.as_ref(), &spot.path, junction, new.clone()),
            (None, Placing::Instead) => tree::add(None, &[], Junction::And, new.clone()),
        };
        self.put_criteria(&spot.mapping, spot.side, Some(&changed));
        // The new one is selected: the last that says the same, behind the one it was chosen for.
        let place = tree::lines(&changed).iter().rposition(|line| line.node.kind == new.kind);
        if let (Some(place), Some(conditions)) = (place, self.conditions_mut()) {
            conditions.selection.set(place);
        }
        Ok(())
    }

    fn conditions_mut(&mut self) -> Option<&mut Conditions> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Conditions(conditions) => Some(conditions),
            _ => None,
        })
    }
}
