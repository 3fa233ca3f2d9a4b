//! Draws Mapping Settings: objects with their criteria, the pairs of the selected one, and what is wrong with it.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::mapping::problems::MappingNote;
use crate::console::app::mapping::rows::Row;
use crate::console::app::mapping::{Counting, Pane};
use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::selection::window_start;
use crate::console::app::tab::Tab;
use crate::console::view::canvas::{Canvas, Focus, Piece};
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::{common, mapping as text, tabs};
use crate::console::view::theme::Meaning;
use crate::domain::criteria::Criteria;
use crate::domain::criteria::words::sentence as sentence_of;
use crate::domain::mapping::{Direction, Mapping};
use crate::domain::report::Verdict;
use crate::domain::side::Side;

/// Columns from which both lists stand side by side.
const BESIDE: u16 = 80;

/// Draws the tab.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if area.width >= BESIDE {
        let left = (area.width / 4).clamp(22, 34);
        objects(app, canvas, Rect { width: left, ..area }, true);
        pairs(app, canvas, Rect { x: area.x + left, width: area.width - left, ..area });
    } else {
        let length = app.mapping.draft.now().len().max(1) as u16;
        let top = (length + if canvas.plain { 1 } else { 2 }).min(area.height / 3);
        objects(app, canvas, Rect { height: top, ..area }, false);
        pairs(app, canvas, Rect { y: area.y + top, height: area.height - top, ..area });
    }
}

fn objects(app: &App, canvas: &mut Canvas<'_>, area: Rect, with_criteria: bool) {
    let here = app.mapping.pane == Pane::Objects;
    let wide = app.size.0 >= crate::console::view::frame::FULL_NAMES;
    let title = if wide { text::OBJECTS_TITLE } else { tabs::full(Tab::Mapping) };
    let inner = canvas.panel(area, title, Focus::when(here));
    let mappings = app.mapping.draft.now();
    if mappings.is_empty() {
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(1), text::EMPTY, Meaning::Muted);
        return;
    }
    let list = if with_criteria { inner.height / 2 } else { inner.height };
    let selected = app.mapping.object.place(mappings.len());
    let start = window_start(selected, mappings.len(), usize::from(list));
    for (place, mapping) in mappings.iter().enumerate().skip(start).take(usize::from(list)) {
        let row = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        let worst = worst(app, &mapping.name, None);
        let sign = worst.map_or(" ", |verdict| canvas.glyphs.verdict(verdict));
        let off = if mapping.enabled { String::new() } else { format!(" ({})", text::OFF) };
        canvas.line(
            Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row },
            &[
                (
                    format!(
                        "{} {} {}{off} ",
                        mapping.org_object,
                        canvas.glyphs.arrow(mapping.direction),
                        mapping.platform_object
                    )
                    .into(),
                    if mapping.enabled { Meaning::Text } else { Meaning::Disabled },
                ),
                (sign.into(), worst.map_or(Meaning::Text, crate::console::view::connection::meaning)),
            ],
        );
        if place == selected {
            canvas.select(row, Focus::when(here));
        }
        canvas.hit(row, Hit::Row { list: 0, row: place });
    }
    if !with_criteria {
        return;
    }
    let Some(mapping) = app.mapping.selected() else { return };
    let top = inner.y + (mappings.len() as u16).min(list) + 1;
    let lines = about(mapping, canvas, usize::from(inner.width.saturating_sub(2)), app);
    for (y, (line, meaning)) in (top..inner.bottom()).zip(lines) {
        canvas.text(inner.x + 1, y, inner.width.saturating_sub(1), &line, meaning);
    }
}

fn about(mapping: &Mapping, canvas: &Canvas<'_>, width: usize, app: &App) -> Vec<(String, Meaning)> {
    let platform = app.settings.platform.kind.label();
    let mut lines = vec![(text::CRITERIA.to_owned(), Meaning::Title)];
    let mut any = false;
    for side in Side::BOTH {
        if let Some(criteria) = mapping.criteria(side) {
            any = true;
            let kind_of = |field: &str| app.kind_of_field(&mapping.name, side, field);
            let parsed = Criteria::parse(criteria).ok();
            let said = parsed.as_ref().map(|parsed| sentence_of(parsed, &kind_of));
            let said = said.as_deref().unwrap_or(criteria);
            lines.extend(wrap(said, width).into_iter().map(|line| (line, Meaning::Text)));
            let counting = Counting {
                side,
                object: mapping.object(side).to_owned(),
                criteria: parsed.map(|parsed| parsed.to_string()),
            };
            if let Some(Load::Ready(members)) = app.mapping.counts.get(&counting) {
                let arrow = canvas.glyphs.arrow(Direction::ToPlatform);
                let words = format!("{arrow} {members}");
                lines.extend(wrap(&words, width).into_iter().map(|line| (line, Meaning::Accent)));
            }
        }
    }
    if !any {
        lines.extend(wrap(text::NO_CRITERIA, width).into_iter().map(|line| (line, Meaning::Muted)));
    }
    if let Some(since) = mapping.since {
        lines.extend(wrap(&text::since(since), width).into_iter().map(|line| (line, Meaning::Text)));
    }
    lines.push((String::new(), Meaning::Text));
    lines.push(("Creates".to_owned(), Meaning::Title));
    for (side, name) in [(Side::Org, "Salesforce"), (Side::Platform, platform)] {
        let word = if mapping.creates_on(side) { canvas.glyphs.on } else { canvas.glyphs.off };
        lines.push((format!("{word} on {name}"), Meaning::Text));
    }
    // In a family, what nobody claims becomes one object alone (law E1).
    let same = |other: &&Mapping| other.platform_object.eq_ignore_ascii_case(&mapping.platform_object);
    let creator =
        app.mapping.draft.now().iter().filter(same).find(|other| other.enabled && other.create_in_org);
    if let Some(creator) = creator.filter(|creator| creator.name != mapping.name) {
        lines.extend(
            wrap(&text::created_as(&creator.org_object), width)
                .into_iter()
                .map(|line| (line, Meaning::Muted)),
        );
    }
    for default in &mapping.default {
        lines.push((format!("{} = {}", default.field, default.value), Meaning::Muted));
    }
    for field in &mapping.skip_create_when_blank {
        lines.push((format!("skip if {field} is blank"), Meaning::Muted));
    }
    lines.push((String::new(), Meaning::Text));
    lines.push((text::DELETED.to_owned(), Meaning::Title));
    lines.extend(wrap(mapping.deletes.words(), width).into_iter().map(|line| (line, Meaning::Text)));
    lines
}

fn pairs(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let here = app.mapping.pane == Pane::Pairs;
    let Some(mapping) = app.mapping.selected() else {
        let inner = canvas.panel(area, "", Focus::when(here));
        empty(app, canvas, inner);
        return;
    };
    let notes: Vec<&MappingNote> =
        app.mapping.notes.iter().filter(|note| note.mapping == mapping.name).collect();
    let bad = notes.iter().filter(|note| note.verdict == Verdict::Bad).count();
    let keys: Vec<String> =
        mapping.pairs.iter().filter(|pair| pair.key).map(|pair| pair.org.join(" + ")).collect();
    let title = format!(
        "{} {} {} · {}",
        mapping.org_object,
        canvas.glyphs.arrow(mapping.direction),
        mapping.platform_object,
        text::pairs_title(&keys.join(", "), mapping.pairs.len(), bad)
    );
    let inner = canvas.panel(area, &title, Focus::when(here));
    let mut top = inner;
    if app.mapping.filtering || !app.mapping.filter.text().is_empty() {
        let row = Rect { height: 1, ..top };
        canvas.text(row.x, row.y, 2, "/", Meaning::Key);
        let field = Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row };
        if app.mapping.filtering {
            canvas.typing(field, &app.mapping.filter, None);
        } else {
            canvas.text(field.x, field.y, field.width, app.mapping.filter.text(), Meaning::Text);
        }
        top = Rect { y: top.y + 1, height: top.height.saturating_sub(1), ..top };
    }
    let rows = app.mapping.rows();
    let selected = app.mapping.row.place(rows.len());
    let notes = ordered(&notes, rows.get(selected).and_then(|row| row.pair));
    let note_lines: Vec<(Verdict, usize, String)> = notes
        .iter()
        .flat_map(|note| {
            wrap(&sentence(note, mapping), usize::from(inner.width.saturating_sub(4)).max(10))
                .into_iter()
                .enumerate()
                .map(|(place, line)| (note.verdict, place, line))
        })
        .collect();
    let below = if note_lines.is_empty() { 0 } else { (note_lines.len() as u16).min(top.height / 3) + 1 };
    let list = Rect { height: top.height.saturating_sub(below), ..top };
    // The pairs are shown below the reason, as far as there is room.
    let reason_rows = locked(app, canvas, list);
    let list = Rect { y: list.y + reason_rows, height: list.height.saturating_sub(reason_rows), ..list };
    if rows.is_empty() {
        let words = if app.mapping.filter.text().is_empty() { text::NO_PAIRS } else { text::NO_ROWS };
        canvas.text(list.x + 1, list.y, list.width.saturating_sub(1), words, Meaning::Muted);
    } else {
        table(app, canvas, list, mapping, &rows, selected, here);
    }
    if below > 0 {
        let outer = if canvas.plain { inner } else { area };
        let y = top.bottom() - below;
        canvas.divide(outer, y, &[("Problems".into(), Meaning::Title)]);
        for (offset, (verdict, place, line)) in note_lines.iter().take(usize::from(below) - 1).enumerate() {
            let row = Rect { y: y + 1 + offset as u16, height: 1, ..inner };
            let sign = if *place == 0 { canvas.glyphs.verdict(*verdict) } else { " " };
            let meaning = crate::console::view::connection::meaning(*verdict);
            canvas.line(row, &[(format!(" {sign} ").into(), meaning), (line.as_str().into(), meaning)]);
        }
    }
}

fn ordered<'a>(notes: &[&'a MappingNote], selected: Option<usize>) -> Vec<&'a MappingNote> {
    let mut notes: Vec<&MappingNote> = notes.to_vec();
    notes.sort_by_key(|note| {
        let mine = selected.is_some() && note.pair == selected;
        (!mine, note.verdict == Verdict::Warning, note.pair)
    });
    notes
}

fn sentence(note: &MappingNote, mapping: &Mapping) -> String {
    match note.pair.and_then(|place| mapping.pairs.get(place)) {
        Some(pair) if !note.message.contains(&pair.org.join(" + ")) => {
            format!("{}: {}", pair.org.join(" + "), note.message)
        }
        Some(_) | None => note.message.clone(),
    }
}

fn worst(app: &App, mapping: &str, pair: Option<usize>) -> Option<Verdict> {
    let mut found = None;
    for note in app.mapping.notes.iter().filter(|note| note.mapping == mapping) {
        if pair.is_some() && note.pair != pair {
            continue;
        }
        match note.verdict {
            Verdict::Bad => return Some(Verdict::Bad),
            Verdict::Warning => found = Some(Verdict::Warning),
            Verdict::Good => {}
        }
    }
    found
}

/// Writes why the tab is locked, if it is; tells how many rows that took.
fn locked(app: &App, canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let Err(reason) = app.unlocked_or_reason() else { return 0 };
    let lines = wrap(&reason, usize::from(area.width.saturating_sub(2)));
    for (offset, line) in lines.iter().enumerate() {
        let y = area.y + offset as u16;
        if y < area.bottom() {
            canvas.text(area.x + 1, y, area.width.saturating_sub(1), line, Meaning::Warning);
        }
    }
    lines.len() as u16 + 1
}

fn empty(app: &App, canvas: &mut Canvas<'_>, inner: Rect) {
    if locked(app, canvas, inner) > 0 {
        return;
    }
    let words = if app.mapping.proposing { text::PROPOSING } else { text::EMPTY_HOW };
    for (offset, line) in wrap(words, usize::from(inner.width.saturating_sub(2))).iter().enumerate() {
        canvas.text(inner.x + 1, inner.y + offset as u16, inner.width.saturating_sub(1), line, Meaning::Text);
    }
}

/// Widths of the columns for a room; types are dropped first.
struct Columns {
    org: usize,
    kind: usize,
    arrow: usize,
    platform: usize,
    key: usize,
    policy: usize,
    /// The platform's type, where there is room for both.
    other_kind: usize,
}

impl Columns {
    fn of(width: usize, plain: bool) -> Self {
        let arrow = if plain { 4 } else { 3 };
        let key = if plain { 5 } else { 4 };
        let policy = 13;
        let room = width.saturating_sub(2 + arrow + key + policy + 1);
        let kind = if room >= 52 { 15 } else { 0 };
        let other_kind = if room >= 70 { 15 } else { 0 };
        let left = room - kind - other_kind;
        let org = left.div_ceil(2);
        Self { org, kind, arrow, platform: left - org, key, policy, other_kind }
    }
}

fn table(
    app: &App,
    canvas: &mut Canvas<'_>,
    area: Rect,
    mapping: &Mapping,
    rows: &[Row],
    selected: usize,
    here: bool,
) {
    let columns = Columns::of(usize::from(area.width), canvas.plain);
    let platform = app.settings.platform.kind.label();
    let head = Rect { height: 1, ..area };
    let mut heads = format!("  {}", column(text::HEADS[0], columns.org));
    if columns.kind > 0 {
        heads.push_str(&column(text::HEADS[1], columns.kind));
    }
    heads.push_str(&column(text::HEADS[2], columns.arrow));
    let with_word = format!("{platform} {}", text::HEADS[3]);
    let head_of_platform = if with_word.len() < columns.platform { &with_word } else { platform };
    heads.push_str(&column(head_of_platform, columns.platform));
    if columns.other_kind > 0 {
        heads.push_str(&column(text::HEADS[1], columns.other_kind));
    }
    heads.push_str(&column(text::HEADS[4], columns.key));
    heads.push_str(&column(text::HEADS[5], columns.policy));
    canvas.text(head.x, head.y, head.width, &heads, Meaning::Muted);
    let height = usize::from(area.height.saturating_sub(1));
    let start = window_start(selected, rows.len(), height);
    for (place, row) in rows.iter().enumerate().skip(start).take(height) {
        let line = Rect { y: area.y + 1 + (place - start) as u16, height: 1, ..area };
        draw_row(app, canvas, line, mapping, row, &columns);
        if place == selected {
            canvas.select(line, Focus::when(here));
        }
        canvas.hit(line, Hit::Row { list: 1, row: place });
    }
    if app.mapping.all_fields && matches!(app.mapping.schema(Side::Org, mapping), Some(Load::Waiting)) {
        let y = area.bottom().saturating_sub(1);
        canvas.text(area.x + 2, y, area.width.saturating_sub(2), common::LOADING, Meaning::Muted);
    }
}

fn draw_row(app: &App, canvas: &mut Canvas<'_>, line: Rect, mapping: &Mapping, row: &Row, columns: &Columns) {
    let pair = row.pair.and_then(|place| mapping.pairs.get(place));
    let verdict = row.pair.and_then(|place| worst(app, &mapping.name, Some(place)));
    let text_meaning = match verdict {
        Some(verdict) => crate::console::view::connection::meaning(verdict),
        None if pair.is_some() => Meaning::Text,
        None => Meaning::Disabled,
    };
    let sign = match verdict {
        Some(Verdict::Bad) if !canvas.plain => canvas.glyphs.bad,
        Some(Verdict::Warning) if !canvas.plain => canvas.glyphs.warning,
        Some(Verdict::Bad | Verdict::Warning) => "!",
        Some(Verdict::Good) | None => " ",
    };
    let org = if row.org.is_empty() { text::FIXED } else { &row.org };
    let mut pieces: Vec<Piece<'_>> = vec![
        (format!(" {sign}").into(), text_meaning),
        (column(org, columns.org.saturating_sub(1)).into(), text_meaning),
        (" ".into(), Meaning::Text),
    ];
    if columns.kind > 0 {
        pieces.push((column(&row.org_type, columns.kind - 1).into(), Meaning::Muted));
        pieces.push((" ".into(), Meaning::Text));
    }
    let arrow = pair.map_or("", |pair| canvas.glyphs.arrow(pair.direction));
    pieces.push((column(arrow, columns.arrow).into(), Meaning::Accent));
    let mut platform = row.platform.clone();
    if let Some(pair) = pair {
        let transform = text::transform(pair);
        if !transform.is_empty() {
            platform = format!("{platform} ({transform})");
        }
    }
    pieces.push((column(&platform, columns.platform.saturating_sub(1)).into(), text_meaning));
    pieces.push((" ".into(), Meaning::Text));
    if columns.other_kind > 0 {
        pieces.push((column(&row.platform_type, columns.other_kind - 1).into(), Meaning::Muted));
        pieces.push((" ".into(), Meaning::Text));
    }
    let key = pair.filter(|pair| pair.key).map_or("", |_| canvas.glyphs.key);
    pieces.push((column(key, columns.key).into(), Meaning::Accent));
    let policy = pair.map_or("", text::policy);
    pieces.push((column(policy, columns.policy).into(), Meaning::Muted));
    canvas.line(line, &pieces);
}
