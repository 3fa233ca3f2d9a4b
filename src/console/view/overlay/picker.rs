//! Draws a picker, the palette included: the query, the columns, the reason why the selected one can't be chosen.

use ratatui::layout::Rect;

use crate::console::app::message::Hit;
use crate::console::app::overlay::picker::{Item, Picker};
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::safe_text::{self, column};
use crate::console::view::text::common;
use crate::console::view::theme::Meaning;

pub(super) fn draw(canvas: &mut Canvas<'_>, picker: &Picker, area: Rect) {
    let plain_list = picker.heads.is_empty();
    let columns = picker.items.iter().map(|item| item.cells.len()).max().unwrap_or(1);
    let widths: Vec<usize> = (0..columns)
        .map(|place| {
            picker
                .items
                .iter()
                .filter_map(|item| item.cells.get(place))
                .map(|cell| safe_text::width(cell))
                .chain(picker.heads.get(place).map(|head| safe_text::width(head)))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let wanted: usize = widths.iter().map(|width| width + 2).sum::<usize>() + 5;
    let width = (wanted as u16).clamp(44, area.width.saturating_sub(4).max(44));
    let heads = u16::from(!plain_list);
    let height = (picker.items.len() as u16 + 5 + heads).min(area.height);
    let title = format!("{}  {}/{}", picker.title, picker.matches.len(), picker.items.len());
    let inner = canvas.popup(area, width, height, &title);
    if inner.height < 3 {
        return;
    }
    canvas.text(inner.x, inner.y, 2, "> ", Meaning::Key);
    let field = Rect { x: inner.x + 2, width: inner.width.saturating_sub(3), height: 1, ..inner };
    canvas.typing(field, &picker.input, None);
    let (widths, aside) = fitted(widths, usize::from(inner.width.saturating_sub(3)));
    let mut y = inner.y + 1;
    if !plain_list {
        let heads: String =
            picker.heads.iter().zip(&widths).map(|(head, width)| column(head, *width)).collect();
        canvas.text(inner.x + 2, y, inner.width.saturating_sub(2), &heads, Meaning::Muted);
        y += 1;
    }
    let list_height = usize::from(inner.bottom().saturating_sub(y + 1));
    if picker.matches.is_empty() {
        let words = if picker.waiting { common::LOADING } else { common::NO_MATCH };
        canvas.text(inner.x + 2, y, inner.width.saturating_sub(2), words, Meaning::Muted);
    }
    let selected = picker.selection.place(picker.matches.len());
    let start = window_start(selected, picker.matches.len(), list_height);
    for (place, item) in picker.matches.iter().enumerate().skip(start).take(list_height) {
        let Some(item) = picker.items.get(*item) else { continue };
        let row = Rect { y, height: 1, ..inner };
        draw_item(canvas, row, item, &widths);
        if place == selected {
            canvas.select(row, Focus::Here);
        }
        canvas.hit(row, Hit::OverlayRow(place));
        y += 1;
    }
    let last = inner.bottom().saturating_sub(1);
    let selected = picker.selected();
    let reason = selected.and_then(|item| item.blocked.as_deref()).map(|reason| (reason, Meaning::Warning));
    // What had no room beside the others is told of the selected one.
    let cell = selected.and_then(|item| item.cells.last()).filter(|_| aside);
    if let Some((words, meaning)) = reason.or(cell.map(|cell| (cell.as_str(), Meaning::Muted))) {
        canvas.text(inner.x + 2, last, inner.width.saturating_sub(2), words, meaning);
    }
}

fn draw_item(canvas: &mut Canvas<'_>, row: Rect, item: &Item, widths: &[usize]) {
    let mut x = row.x + 2;
    for (place, (cell, width)) in item.cells.iter().zip(widths).enumerate() {
        let meaning = match (item.blocked.is_some(), place) {
            (true, _) => Meaning::Disabled,
            (false, 0) => Meaning::Text,
            (false, _) => Meaning::Muted,
        };
        let cell = column(cell, width.saturating_sub(2));
        canvas.text(x, row.y, row.right().saturating_sub(x), &cell, meaning);
        x += *width as u16;
    }
}

/// A last column narrower than this tells nothing.
const LEAST: usize = 16;

/// The widths that fit, and whether the last column had to go for the others.
fn fitted(widths: Vec<usize>, room: usize) -> (Vec<usize>, bool) {
    let others: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
    let last = widths.last().copied().unwrap_or(0);
    if widths.len() > 2 && others + last + 2 > room {
        let mut widths = widths;
        let left = room.saturating_sub(others + 2);
        let goes = left < LEAST;
        if goes {
            widths.pop();
        } else if let Some(last) = widths.last_mut() {
            *last = left;
        }
        return (shrunk(widths, room), goes);
    }
    (shrunk(widths, room), false)
}

/// Widths with their gaps, cut down from the widest until they fit.
fn shrunk(widths: Vec<usize>, room: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = widths.into_iter().map(|width| width + 2).collect();
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > 6 => *widest -= 1,
            _ => break,
        }
    }
    widths
}
