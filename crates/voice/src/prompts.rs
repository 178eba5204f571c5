//! The sounds of the prompts, as `cargo xtask prompts` made them from the texts beside them: 8000 µ-law codes a second.

use alloc::collections::BTreeMap;

use crate::Language;

/// The prompts of a language.
#[derive(Debug)]
pub struct Prompts(BTreeMap<&'static str, &'static [u8]>);

impl Prompts {
    /// Those of a language.
    pub fn of(language: Language) -> Self {
        let (index, sounds): (&str, &[u8]) = match language {
            Language::English => (include_str!("../prompts/en.index"), include_bytes!("../prompts/en.ulaw")),
            Language::German => (include_str!("../prompts/de.index"), include_bytes!("../prompts/de.ulaw")),
        };
        let mut prompts = BTreeMap::new();
        let mut rest = sounds;
        for line in index.lines() {
            let Some((name, len)) = line.split_once(' ') else { continue };
            let Some((sound, left)) = len.parse().ok().and_then(|len| rest.split_at_checked(len)) else {
                continue;
            };
            prompts.insert(name, sound);
            rest = left;
        }
        Self(prompts)
    }

    /// A prompt, by its name.
    pub fn sound(&self, name: &str) -> Option<&'static [u8]> {
        self.0.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// The names in a list of texts, whose sounds are to be there.
    fn names(texts: &'static str) -> Vec<&'static str> {
        texts.lines().filter_map(|line| Some(line.split_once(' ')?.0)).collect()
    }

    #[test]
    fn every_text_has_its_sound_and_every_byte_belongs_to_one() {
        let mut total = 0;
        for (language, texts, sounds) in [
            (
                Language::English,
                include_str!("../prompts/en.txt"),
                include_bytes!("../prompts/en.ulaw").len(),
            ),
            (Language::German, include_str!("../prompts/de.txt"), include_bytes!("../prompts/de.ulaw").len()),
        ] {
            let prompts = Prompts::of(language);
            let lengths = names(texts).into_iter().map(|name| {
                let sound = prompts.sound(name).unwrap_or_else(|| panic!("{language:?}: {name}"));
                assert!(sound.len() > 800, "{language:?}: {name}");
                sound.len()
            });
            assert_eq!(lengths.sum::<usize>(), sounds);
            assert_eq!(prompts.0.len(), names(texts).len());
            total += sounds;
        }
        assert!(total < 3 << 20, "{total} bytes in the binary");
    }

    #[test]
    fn every_prompt_that_the_code_names_exists() {
        let named = |source: &'static str, before: &'static str| {
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            let rests = source.split(before).skip(1);
            rests.filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
        };
        let names: Vec<_> = [
            named(include_str!("call.rs"), "Prompt(\""),
            named(include_str!("mailbox.rs"), "Prompt(\""),
            named(include_str!("visit.rs"), "Prompt(\""),
            // Not all that are said in a room are named where they are said.
            named(include_str!("visit.rs"), "\"room-")
                .iter()
                .map(|name| alloc::format!("room-{name}").leak() as _)
                .collect(),
        ]
        .concat();
        assert!(names.len() > 20);
        for language in Language::ALL {
            let prompts = Prompts::of(language);
            for name in &names {
                assert!(prompts.sound(name).is_some(), "{language:?} has no {name}");
            }
        }
    }
}
