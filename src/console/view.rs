//! How it looks: one file a tab, one an overlay, one a widget. Reads [`App`], writes a buffer, changes nothing.

pub mod canvas;
pub mod connection;
pub mod footer;
pub mod frame;
pub mod glyph;
pub mod logs;
pub mod mapping;
pub mod overlay;
pub mod safe_text;
pub mod sync;
pub mod text;
pub mod theme;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::tab::Tab;
use crate::console::view::canvas::Canvas;
use crate::console::view::theme::Meaning;

/// Least columns and rows.
pub const LEAST: (u16, u16) = (50, 15);

/// Draws the whole console.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        if area.width > 0 && area.height > 0 {
            let sentence = text::common::too_small(area.width, area.height);
            for (row, line) in safe_text::wrap(&sentence, usize::from(area.width)).iter().enumerate() {
                let y = area.y + row as u16;
                if y < area.bottom() {
                    canvas.text(area.x, y, area.width, line, Meaning::Text);
                }
            }
        }
        return;
    }
    let parts = frame::Parts::of(area);
    frame::tabs(app, canvas, parts.tabs);
    frame::context(app, canvas, parts.context);
    match app.tab {
        Tab::Connection => connection::draw(app, canvas, parts.body),
        Tab::Mapping => mapping::draw(app, canvas, parts.body),
        Tab::Sync => sync::draw(app, canvas, parts.body),
        Tab::Logs => logs::draw(app, canvas, parts.body),
    }
    frame::toast(app, canvas, parts.toast);
    if !app.overlays.is_empty() {
        // What lies below can't be pressed.
        canvas.hits.clear();
        canvas.cursor = None;
    }
    for overlay in &app.overlays {
        overlay::draw(app, canvas, overlay, parts.body);
    }
    footer::draw(app, canvas, parts.footer);
}
