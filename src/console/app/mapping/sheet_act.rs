//! What the actions do on a sheet of a mapping or a pair.

use chrono::SecondsFormat;

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::names as names_sheet;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::overlay::sheet::{self, Row, RowId, RowKind, Sheet, Target};
use crate::console::app::toast::Tone;
use crate::console::view::text::{common, mapping as mapping_text, sheet as text};
use crate::domain::mapping::Pair;
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::ops::read_again;

impl App {
    /// The rows of a sheet as they stand now.
    pub fn sheet_rows(&self, target: &Target) -> Vec<Row> {
        let Some(mapping) = self.mapping.named(target.mapping()) else { return Vec::new() };
        let field = match target {
            Target::Translations { pair, .. } => mapping.pairs.get(*pair).and_then(|pair| {
                let name = pair.org.first()?;
                self.mapping.described(Side::Org, mapping)?.field(name)
            }),
            Target::Mapping(_) | Target::Pair { .. } => None,
        };
        let mut rows = sheet::rows(target, mapping, field);
        if let Some(names) = field.and_then(|field| self.mapping.names_of(mapping, field)) {
            names_sheet::say(&mut rows, names);
        }
        rows
    }

    /// An action on the sheet on top.
    pub(crate) fn act_on_sheet(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Sheet(Sheet { target, selection })) = self.overlays.last_mut() else {
            return Vec::new();
        };
        let target = target.clone();
        let place_hint = *selection;
        let rows = self.sheet_rows(&target);
        let place = place_hint.place(rows.len());
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        if let Some(Overlay::Sheet(sheet)) = self.overlays.last_mut()
            && sheet.selection.act(action, rows.len())
        {
            return Vec::new();
        }
        if self.access == crate::console::app::model::Access::ReadOnly && action != Action::Back {
            self.toasts.add(Tone::Info, common::READ_ONLY, self.now);
            return Vec::new();
        }
        let Some(row) = rows.get(place).cloned() else { return Vec::new() };
        match (action, &target) {
            (Action::Add, Target::Translations { mapping, pair }) => {
                self.add_translation(mapping, *pair);
                Vec::new()
            }
            (Action::Delete, Target::Translations { mapping, pair }) => {
                if let RowId::Translation(_) = row.id {
                    self.overlays.push(Overlay::Question(Question::yes_no(
                        text::REMOVE_TRANSLATION,
                        vec![text::remove_translation(&row.label, &row.value)],
                        mapping_text::REMOVE,
                        Consequence::RemoveTranslation {
                            mapping: mapping.clone(),
                            pair: *pair,
                            entry: row.label.clone(),
                        },
                    )));
                }
                Vec::new()
            }
            (Action::Add, Target::Pair { mapping, pair }) => match row.kind {
                RowKind::Field(side) => {
                    let purpose = Picked::MoreField { mapping: mapping.clone(), pair: *pair, side };
                    self.pick_field(side, mapping, purpose)
                }
                RowKind::Switch | RowKind::Choice(_) | RowKind::Text | RowKind::Opens => Vec::new(),
            },
            (Action::Delete, Target::Pair { mapping, pair }) if matches!(row.kind, RowKind::Field(_)) => {
                let RowKind::Field(side) = row.kind else { return Vec::new() };
                self.drop_field(mapping, *pair, side);
                Vec::new()
            }
            (Action::Open, _) => self.open_row(&target, &row),
            (Action::Toggle | Action::Right | Action::Left, _) => self.turn_row(&target, &row),
            (Action::Delete, _) if matches!(row.kind, RowKind::Text) => {
                self.put_or_say(&target, row.id, "");
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Takes the last of several fields out of a pair.
    fn drop_field(&mut self, mapping: &str, pair: usize, side: Side) {
        let fields = |pair: &Pair| pair.fields(side).len();
        let count = self.mapping.named(mapping).and_then(|mapping| mapping.pairs.get(pair)).map_or(0, fields);
        if count < 2 {
            self.toasts.add(Tone::Info, text::LAST_FIELD, self.now);
            return;
        }
        self.mapping.edit(mapping, |mapping| {
            if let Some(pair) = mapping.pairs.get_mut(pair) {
                match side {
                    Side::Org => pair.org.pop(),
                    Side::Platform => pair.platform.pop(),
                };
            }
        });
        self.review_mappings();
    }

    fn open_row(&mut self, target: &Target, row: &Row) -> Vec<Effect> {
        match row.kind {
            RowKind::Switch => self.turn_row(target, row),
            RowKind::Choice(choices) => {
                let items: Vec<Item> =
                    choices.iter().map(|(word, label)| Item::new(*word, [*label])).collect();
                let now = choices.iter().find(|(_, label)| *label == row.value).map(|(word, _)| *word);
                let mut picker =
                    Picker::new(&row.label, &[], items, Picked::SheetRow(target.clone(), row.id));
                picker.choose(now.unwrap_or_default());
                self.overlays.push(Overlay::Picker(picker));
                Vec::new()
            }
            RowKind::Text => {
                match (target, row.id) {
                    (Target::Translations { mapping, pair }, RowId::Translation(_)) => {
                        self.ask_translation(mapping.clone(), *pair, Some((&row.label, &row.value)));
                    }
                    (Target::Translations { mapping, pair }, RowId::Untranslated(_)) => {
                        self.overlays.push(Overlay::Prompt(Prompt::new(
                            text::TRANSLATION,
                            text::TRANSLATION_HELP,
                            &format!("{} = ", row.label),
                            Asked::Translation { mapping: mapping.clone(), pair: *pair, replaces: None },
                        )));
                    }
                    _ => self.ask_row(target.clone(), row.id),
                }
                Vec::new()
            }
            RowKind::Field(side) => match target {
                Target::Pair { mapping, pair } => {
                    let purpose = Picked::PairField { mapping: mapping.clone(), pair: *pair, side };
                    self.pick_field(side, &mapping.clone(), purpose)
                }
                Target::Mapping(_) | Target::Translations { .. } => Vec::new(),
            },
            RowKind::Opens => {
                if let Target::Pair { mapping, pair } = target {
                    return self.open_table(mapping, *pair);
                }
                Vec::new()
            }
        }
    }

    fn turn_row(&mut self, target: &Target, row: &Row) -> Vec<Effect> {
        match row.kind {
            RowKind::Switch => {
                let turned = if row.value == text::yes_no(true) { "no" } else { "yes" };
                self.put_or_say(target, row.id, turned);
            }
            RowKind::Choice(choices) => {
                let here = choices.iter().position(|(_, label)| *label == row.value).unwrap_or(0);
                if let Some((word, _)) = choices.get((here + 1) % choices.len().max(1)) {
                    self.put_or_say(target, row.id, word);
                }
            }
            RowKind::Text | RowKind::Field(_) | RowKind::Opens => return self.open_row(target, row),
        }
        Vec::new()
    }

    fn put_or_say(&mut self, target: &Target, id: RowId, value: &str) {
        if let Err(sentence) = self.put_row(target, id, value) {
            self.toasts.add(Tone::Warning, sentence, self.now);
        }
    }

    /// Puts a value into a row of a mapping or pair.
    pub(crate) fn put_row(&mut self, target: &Target, id: RowId, value: &str) -> Result<(), String> {
        let name = target.mapping().to_owned();
        let Some(known) = self.mapping.named(&name) else { return Ok(()) };
        let new_name = value.trim();
        if id == RowId::Name && new_name != name && self.mapping.named(new_name).is_some() {
            return Err(text::NAME_TAKEN.into());
        }
        let mut changed = known.clone();
        let value = match id {
            RowId::Since => self.since_of(value)?,
            _ => value.to_owned(),
        };
        sheet::put(&mut changed, target, id, &value)?;
        self.mapping.edit(&name, |mapping| *mapping = changed);
        if id == RowId::Name {
            for overlay in &mut self.overlays {
                if let Overlay::Sheet(sheet) = overlay
                    && let Target::Mapping(shown) = &mut sheet.target
                    && *shown == name
                {
                    new_name.clone_into(shown);
                }
            }
        }
        self.review_mappings();
        Ok(())
    }

    /// A moment as the settings file says it, from `now`, a day or a moment.
    fn since_of(&self, typed: &str) -> Result<String, String> {
        let now = self.now;
        let moment = match typed.trim() {
            "" => return Ok(String::new()),
            word if word.eq_ignore_ascii_case("now") => now,
            other => read_again::moment(other, now).map_err(|error| error.message)?,
        };
        Ok(moment.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    /// Asks for the text of a row.
    pub(crate) fn ask_row(&mut self, target: Target, id: RowId) {
        let rows = self.sheet_rows(&target);
        let Some(row) = rows.into_iter().find(|row| row.id == id) else { return };
        self.overlays.push(Overlay::Prompt(Prompt::new(
            row.label,
            text::help(id),
            &row.value,
            Asked::SheetRow(target, id),
        )));
    }

    pub(crate) fn ask_translation(&mut self, mapping: String, pair: usize, line: Option<(&str, &str)>) {
        let text_now = line.map(|(org, platform)| format!("{org} = {platform}")).unwrap_or_default();
        self.overlays.push(Overlay::Prompt(Prompt::new(
            text::TRANSLATION,
            text::TRANSLATION_HELP,
            &text_now,
            Asked::Translation { mapping, pair, replaces: line.map(|(org, _)| org.to_owned()) },
        )));
    }

    /// Puts a line into a translation table.
    pub(crate) fn put_translation(
        &mut self,
        mapping: &str,
        pair: usize,
        replaces: Option<&str>,
        line: &str,
    ) -> Result<(), String> {
        let mut result = Ok(());
        self.mapping.edit(mapping, |mapping| {
            if let Some(pair) = mapping.pairs.get_mut(pair) {
                result = sheet::put_translation(pair, replaces, line);
            }
        });
        self.review_mappings();
        result
    }

    /// Takes a line out of a translation table.
    pub(crate) fn remove_translation(&mut self, mapping: &str, pair: usize, entry: &str) {
        self.mapping.edit(mapping, |mapping| {
            if let Some(pair) = mapping.pairs.get_mut(pair)
                && let Transform::Table(table) = &mut pair.transform
            {
                table.entries.remove(entry);
            }
        });
        self.review_mappings();
    }
}
