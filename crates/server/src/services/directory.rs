//! The corporate directory: a form to search with, and what was found.

use axum::response::Response;
use selsius_phone_xml::{
    DIRECTORY_ENTRIES, Directory, DirectoryEntry, ICON_ITEMS, IconMenu, Input, InputField, Mark, MenuItem,
};
use selsius_site::Site;

use super::{Visit, page_of};

/// Somebody who can be called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The name in small letters, for the order.
    order: String,
    name: String,
    number: String,
}

/// The form where nothing is asked for, else the page that is.
pub(super) async fn page(visit: Visit) -> Response {
    let (name, number) = (visit.query.value("name"), visit.query.value("number"));
    if name.is_none() && number.is_none() {
        return form(&visit);
    }
    let (name, number) = (name.unwrap_or_default(), number.unwrap_or_default());
    let found = search(&visit.site, name, number);
    if found.is_empty() {
        return visit.text(axum::http::StatusCode::OK, "Corporate directory", "Nobody found");
    }
    let entries = found.into_iter().map(|entry| DirectoryEntry { name: entry.name, telephone: entry.number });
    let turn = |page: usize| {
        visit.url("directory", &[("name", name), ("number", number), ("page", &page.to_string())])
    };
    list(&visit, "Corporate directory", entries.collect(), turn)
}

/// A page of numbers to dial, each with what is going on there: as an icon where the phone draws, else in words.
pub(super) fn list(
    visit: &Visit,
    title: &str,
    entries: Vec<DirectoryEntry>,
    turn: impl Fn(usize) -> String,
) -> Response {
    if visit.draws() {
        return with_icons(visit, title, entries, turn);
    }
    let (mut entries, more) = page_of(entries, visit.page(), DIRECTORY_ENTRIES);
    for entry in &mut entries {
        if let Some(state) = word(visit.mark(&entry.telephone)) {
            entry.name = format!("{} ({})", entry.name, visit.say(state));
        }
    }
    let mut keys = vec![visit.key("Dial", "SoftKey:Dial"), visit.key("EditDial", "SoftKey:EditDial")];
    keys.extend(visit.paging(turn, more));
    keys.push(visit.key("Exit", "SoftKey:Exit"));
    let directory = Directory { title: visit.say(title).into(), entries, keys, ..Directory::default() };
    visit.answer(|encoding| directory.to_xml(encoding))
}

/// The same as a menu, since a directory has no icons. Dialling is what choosing an item does; a menu knows no EditDial.
fn with_icons(
    visit: &Visit,
    title: &str,
    entries: Vec<DirectoryEntry>,
    turn: impl Fn(usize) -> String,
) -> Response {
    let (entries, more) = page_of(entries, visit.page(), ICON_ITEMS);
    let item = |DirectoryEntry { name, telephone }: DirectoryEntry| {
        let url = match telephone.as_str() {
            // A caller without a number: there is nothing to dial, so the page stays.
            "" => turn(visit.page()),
            number => format!("Dial:{number}"),
        };
        let mark = visit.mark(&telephone);
        // Where the name ends with the number, it is there to be read already.
        let name = if name.ends_with(&telephone) { name } else { format!("{name} ({telephone})") };
        (mark.icon(), MenuItem { name, url })
    };
    let items = entries.into_iter().map(item).collect();
    let mut keys = vec![visit.key("Dial", "SoftKey:Select")];
    keys.extend(visit.paging(&turn, more));
    keys.push(visit.key("Exit", "SoftKey:Exit"));
    let menu = IconMenu { title: visit.say(title).into(), items, keys, ..IconMenu::default() };
    visit.answer(|encoding| menu.to_xml(encoding))
}

/// What goes behind a name: nothing while the number is free or not of the office.
const fn word(mark: Mark) -> Option<&'static str> {
    match mark {
        Mark::Ringing => Some("ringing"),
        Mark::InUse => Some("in use"),
        Mark::Away => Some("away"),
        _ => None,
    }
}

fn form(visit: &Visit) -> Response {
    let field = |name: &str, parameter: &str, flags: &str| InputField {
        name: visit.say(name).into(),
        parameter: parameter.into(),
        flags: flags.into(),
        value: String::new(),
    };
    let form = Input {
        title: visit.say("Corporate directory").into(),
        prompt: visit.say("Enter what you know").into(),
        url: visit.url("directory", &[]),
        fields: vec![field("Name", "name", "A"), field("Number", "number", "T")],
    };
    visit.answer(|encoding| form.to_xml(encoding))
}

/// Who has all these parts in the name, and a number that begins so. Everybody, where nothing is asked for.
fn search(site: &Site, name: &str, number: &str) -> Vec<Entry> {
    let name = name.to_lowercase();
    let parts: Vec<_> = name.split_whitespace().collect();
    let lines = site.lines.iter().map(|(number, line)| {
        let name = [&line.name, &line.label].into_iter().find(|name| !name.is_empty());
        (name.map_or_else(|| number.as_str().to_owned(), Clone::clone), number)
    });
    let contacts = site.contacts.iter().flat_map(|(name, contact)| {
        let several = contact.numbers.len() > 1;
        contact.numbers.iter().map(move |(kind, number)| {
            (if several { format!("{name} ({kind})") } else { name.clone() }, number)
        })
    });
    let mut found: Vec<_> = lines
        .chain(contacts)
        .filter(|(_, other)| other.as_str().starts_with(number))
        .map(|(name, number)| Entry { order: name.to_lowercase(), name, number: number.as_str().into() })
        .filter(|entry| parts.iter().all(|part| entry.order.contains(part)))
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use selsius_site::{Contact, Line};

    use super::*;

    #[test]
    fn people_are_found_by_parts_of_their_names_and_numbers() {
        let mut site = Site::default();
        for (number, name) in
            [("1001", "Zoë Smith"), ("1002", "Jürgen Ärmel"), ("1003", ""), ("2001", "alice smith")]
        {
            site.lines.insert(number.parse().unwrap(), Line { name: name.into(), ..Line::default() });
        }
        let mut contact = Contact::default();
        contact.numbers.insert("mobile".into(), "0170123".parse().unwrap());
        contact.numbers.insert("work".into(), "030123".parse().unwrap());
        site.contacts.insert("Smith & Sons".into(), contact);
        let found = |name: &str, number: &str| {
            search(&site, name, number).into_iter().map(|entry| entry.name).collect::<Vec<_>>()
        };
        assert_eq!(
            found("smith", ""),
            ["alice smith", "Smith & Sons (mobile)", "Smith & Sons (work)", "Zoë Smith"]
        );
        assert_eq!(found("SMITH  zo", ""), ["Zoë Smith"]);
        assert_eq!(found("ÄRM", ""), ["Jürgen Ärmel"]);
        assert_eq!(found("smith", "0"), ["Smith & Sons (mobile)", "Smith & Sons (work)"]);
        assert_eq!(found("", "10"), ["1003", "Jürgen Ärmel", "Zoë Smith"]);
        assert_eq!(found("", "").len(), 6);
        assert_eq!(found("nobody", ""), [""; 0]);
    }
}
