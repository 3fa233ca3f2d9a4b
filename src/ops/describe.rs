//! What a side says about one of its objects; remembered as long as the session lives.

use std::sync::Arc;

use crate::domain::schema::ObjectSchema;
use crate::domain::side::Side;
use crate::ops::connections;
use crate::ops::error::OpError;
use crate::ops::secrets;
use crate::ops::session::Session;

/// One object of a side. It is asked for once a session; [`forget`] makes it be asked for again.
pub async fn object(session: &Session, side: Side, object: &str) -> Result<Arc<ObjectSchema>, OpError> {
    let known = || session.schemas().get(side, object);
    if let Some(schema) = known() {
        return Ok(schema);
    }
    objects(session, side, &[object.to_owned()]).await?;
    known().ok_or_else(|| {
        let hint = match side {
            Side::Org => {
                "Check its API name; an object that is missing here is usually a missing right of the user."
            }
            Side::Platform => "Check its name.",
        };
        OpError::settings(format!("The {side} has no object “{object}” that this user can see. {hint}"))
            .code("no_object")
    })
}

/// Several objects of a side in as few calls as it allows; one that can't be seen is left out.
pub async fn objects(
    session: &Session,
    side: Side,
    names: &[String],
) -> Result<Vec<Arc<ObjectSchema>>, OpError> {
    let missing: Vec<String> =
        names.iter().filter(|name| session.schemas().get(side, name).is_none()).cloned().collect();
    if !missing.is_empty() {
        let settings = session.settings();
        let known = secrets::read(session, &settings, side, &[]).await?;
        let around = session.surroundings();
        let schemas = connections::endpoint(&settings, side, &known, &around)?.describe(&missing).await?;
        session.schemas().put(side, schemas);
    }
    Ok(names.iter().filter_map(|name| session.schemas().get(side, name)).collect())
}

/// Makes every object be asked for again.
pub fn forget(session: &Session) {
    session.schemas().clear();
}
