//! The phones as a site file, so that a manager knows them.

use std::fmt::Write;

use crate::Phones;

/// The site file (docs/site.md) with a line and a phone for each of `phones`, for `selsius site apply`. A second call does not come in at a
/// line in use: a busy phone is to be busy.
pub fn site_toml(phones: &Phones, model: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# {} phones of a load test, from `selsius load --print-site`.", phones.count);
    for index in 0..phones.count {
        let number = phones.number(index);
        let _ = write!(text, "[lines.{number}]\nname = \"Load {number}\"\ncall-waiting = false\n");
    }
    for index in 0..phones.count {
        let (name, number) = (phones.name(index), phones.number(index));
        let _ =
            write!(text, "[devices.{name}]\nmodel = \"{model}\"\nbuttons = [{{ line = \"{number}\" }}]\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use selsius_site::Site;

    use super::*;

    #[test]
    fn the_manager_reads_it() {
        let phones = crate::plan::tests::phones(30);
        let text = site_toml(&phones, "7965");
        let site = Site::from_toml("site.toml", &text).unwrap();
        assert_eq!((site.lines.len(), site.devices.len()), (30, 30));
        let name = "SEP00000000001E".parse().unwrap();
        let buttons = &site.devices.get(&name).unwrap().buttons;
        assert!(
            matches!(&buttons[..], [selsius_site::Button::Line { number, .. }] if number.as_str() == "1030")
        );
    }
}
