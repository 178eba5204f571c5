//! The derive macro behind selsius-wire's messages.
//!
//! `#[derive(Wire)]` turns a plain struct into its own specification: the decoder, the encoder, the field
//! descriptors and the [`Default`] of an absent message all follow from the order and the types of its
//! fields. `selsius_wire::codec` says what the generated code calls and what the attributes mean; they are
//!
//! | on the struct | |
//! |---|---|
//! | `tagged_from = N` | media addresses are tagged, 20 bytes, when the header's length is at least `N` |
//! | `wide_numbers_from = N` | directory numbers have 25 bytes when the header's length is at least `N` |
//! | `unpadded` | the body is not padded to four bytes |
//! | `form = "path"` | a function from body and layout to layout that settles the widths before anything is read |
//!
//! | on a field | |
//! |---|---|
//! | `since = V`, `until = V` | the protocol versions that have it (a description: presence follows the length) |
//! | `gate = V` | as `since`, and the field is skipped in older versions: only where it shifts what follows it |
//! | `count = "field"` | how many slots of an array, or elements of a `Vec`, are meaningful |
//! | `max = N` | the most elements of a `Vec`; without `count` it takes the rest of the body |
//! | `union = "field"` | the type is a union whose member an earlier field chooses |
//! | `repr = "u8"` | an open enumeration that takes one byte here (or two, `"u16"`) |

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Ident, Lit, LitInt, LitStr, Path,
    Result, Type, parse_macro_input,
};

/// Derives `selsius_wire::codec::Wire` and `Default` (every field absent).
#[proc_macro_derive(Wire, attributes(wire))]
pub fn derive_wire(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> Result<Tokens> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "Wire is derived for structs only"));
    };
    let parts = match &data.fields {
        Fields::Named(fields) => fields.named.iter().map(Part::parse).collect::<Result<Vec<_>>>()?,
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => return Err(Error::new_spanned(fields, "name the fields")),
    };
    let name = &input.ident;
    let doc = doc(&input.attrs);
    let rule = Rule::parse(&input.attrs)?;
    let form = rule.form.as_ref().map(|form| quote!(r.set_layout(#form(r.peek(), r.layout()));));
    let rule = rule.tokens();
    let count = parts.len();
    let names: Vec<_> = parts.iter().map(|part| &part.name).collect();
    let descriptors: Vec<_> = names.iter().map(|name| format_ident!("{name}_field")).collect();
    let fields = parts.iter().map(Part::descriptor);
    let decode = parts.iter().map(Part::decode);
    let encode = parts.iter().map(Part::encode);
    let visit = parts.iter().zip(&descriptors).map(|(part, descriptor)| part.visit(descriptor));

    Ok(quote! {
        const _: () = {
            use ::selsius_wire::codec::{self, Wire as _};

            static FIELDS: [codec::Field; #count] = [#(#fields),*];

            #[automatically_derived]
            impl codec::Wire for #name {
                const KIND: codec::Kind = codec::Kind::Struct(&FIELDS);
                const RULE: codec::LayoutRule = #rule;
                const DOC: &'static str = #doc;

                fn absent() -> Self {
                    Self { #(#names: codec::Wire::absent()),* }
                }

                #[inline]
                fn decode(r: &mut codec::Reader<'_>) -> Result<Self, codec::FieldError> {
                    #form
                    Self::decode_fields(r)
                }

                #[inline]
                fn decode_fields(r: &mut codec::Reader<'_>) -> Result<Self, codec::FieldError> {
                    #(#decode)*
                    let _ = r;
                    Ok(Self { #(#names),* })
                }

                #[inline]
                fn encode(&self, w: &mut codec::Writer<'_>) {
                    #(#encode)*
                    let _ = w;
                }

                fn visit(&self, walk: &mut codec::Walk<'_>, field: &'static codec::Field) {
                    if walk.enter(field) {
                        self.visit_fields(walk);
                        walk.leave();
                    }
                }

                fn visit_fields(&self, walk: &mut codec::Walk<'_>) {
                    let [#(#descriptors),*] = &FIELDS;
                    #(#visit)*
                    let _ = walk;
                }
            }

            #[automatically_derived]
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    codec::Wire::absent()
                }
            }
        };
    })
}

/// What `#[wire(..)]` on the struct says.
#[derive(Default)]
struct Rule {
    tagged_from: Option<LitInt>,
    wide_numbers_from: Option<LitInt>,
    unpadded: bool,
    form: Option<Path>,
}

impl Rule {
    fn parse(attrs: &[Attribute]) -> Result<Self> {
        let mut rule = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("wire")) {
            attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("tagged_from") {
                    rule.tagged_from = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("wide_numbers_from") {
                    rule.wide_numbers_from = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("unpadded") {
                    rule.unpadded = true;
                } else if meta.path.is_ident("form") {
                    rule.form = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                } else {
                    return Err(meta.error("expected tagged_from, wide_numbers_from, unpadded or form"));
                }
                Ok(())
            })?;
        }
        Ok(rule)
    }

    fn tokens(&self) -> Tokens {
        let tagged_from = option(self.tagged_from.as_ref());
        let wide_numbers_from = option(self.wide_numbers_from.as_ref());
        let padded = !self.unpadded;
        quote! {
            codec::LayoutRule { tagged_from: #tagged_from, wide_numbers_from: #wide_numbers_from, padded: #padded }
        }
    }
}

fn option(value: Option<&LitInt>) -> Tokens {
    match value {
        Some(value) => quote!(Some(#value)),
        None => quote!(None),
    }
}

/// One field of the struct with its attributes.
struct Part {
    name: Ident,
    ty: Type,
    doc: String,
    since: Option<LitInt>,
    until: Option<LitInt>,
    gated: bool,
    count: Option<Ident>,
    max: Option<Expr>,
    selector: Option<Ident>,
    repr: Option<Ident>,
}

impl Part {
    fn parse(field: &Field) -> Result<Self> {
        let Some(name) = field.ident.clone() else {
            return Err(Error::new_spanned(field, "name the field"));
        };
        let mut part = Self {
            name,
            ty: field.ty.clone(),
            doc: doc(&field.attrs),
            since: None,
            until: None,
            gated: false,
            count: None,
            max: None,
            selector: None,
            repr: None,
        };
        for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("wire")) {
            attr.parse_nested_meta(|meta| {
                let is = |name: &str| meta.path.is_ident(name);
                if is("since") {
                    part.since = Some(meta.value()?.parse()?);
                } else if is("gate") {
                    part.since = Some(meta.value()?.parse()?);
                    part.gated = true;
                } else if is("until") {
                    part.until = Some(meta.value()?.parse()?);
                } else if is("count") {
                    part.count = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                } else if is("max") {
                    part.max = Some(meta.value()?.parse()?);
                } else if is("union") {
                    part.selector = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                } else if is("repr") {
                    part.repr = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                } else {
                    return Err(meta.error("expected since, until, gate, count, max, union or repr"));
                }
                Ok(())
            })?;
        }
        Ok(part)
    }

    /// The name that people read: without the `r#` of a raw identifier.
    fn label(&self) -> String {
        self.name.to_string().trim_start_matches("r#").to_owned()
    }

    fn descriptor(&self) -> Tokens {
        let (label, ty, doc) = (self.label(), &self.ty, &self.doc);
        let kind = match (&self.repr, &self.max) {
            (Some(repr), _) => {
                quote!(<#ty as codec::OpenEnum>::KIND.narrowed(::core::mem::size_of::<#repr>()))
            }
            (None, Some(max)) => quote!(codec::Kind::List { of: <#ty as codec::List>::ELEMENT, max: #max }),
            (None, None) => quote!(<#ty as codec::Wire>::KIND),
        };
        let since = self.since.as_ref().map_or_else(|| quote!(0), |since| quote!(#since));
        let until = self.until.as_ref().map_or_else(|| quote!(u8::MAX), |until| quote!(#until));
        let by = match self.count.as_ref().or(self.selector.as_ref()) {
            Some(by) => {
                let by = by.to_string();
                quote!(Some(#by))
            }
            None => quote!(None),
        };
        quote! {
            codec::Field { name: #label, kind: #kind, since: #since, until: #until, by: #by, doc: #doc }
        }
    }

    fn decode(&self) -> Tokens {
        let (name, label, ty) = (&self.name, self.label(), &self.ty);
        let value = match (&self.repr, &self.count, &self.max, &self.selector) {
            (Some(repr), ..) => quote!(r.narrow::<#ty, #repr>(#label)?),
            (None, Some(count), Some(max), _) => quote!(r.list(#label, #count, #max)?),
            (None, Some(count), None, _) => quote!(r.slots(#label, #count)?),
            (None, None, Some(max), _) => quote!(r.rest(#label, #max)?),
            (None, None, None, Some(selector)) => quote!(r.union::<#ty>(#label, u32::from(#selector))?),
            (None, None, None, None) => quote!(r.field::<#ty>(#label)?),
        };
        let value = match self.gate() {
            Some(since) => quote!(if r.layout().has(#since) { #value } else { codec::Wire::absent() }),
            None => value,
        };
        quote! { let #name: #ty = #value; }
    }

    fn encode(&self) -> Tokens {
        let name = &self.name;
        let encode = match &self.repr {
            Some(repr) => quote!(w.narrow::<_, #repr>(self.#name);),
            None => quote!(codec::Wire::encode(&self.#name, w);),
        };
        match self.gate() {
            Some(since) => quote!(if w.layout().has(#since) { #encode }),
            None => encode,
        }
    }

    fn visit(&self, descriptor: &Ident) -> Tokens {
        let name = &self.name;
        let visit = match (&self.repr, &self.count, &self.max) {
            (Some(repr), ..) => quote!(walk.narrow::<_, #repr>(#descriptor, self.#name);),
            (None, Some(count), Some(_)) => {
                quote!(codec::List::visit_used(&self.#name, walk, #descriptor, self.#count);)
            }
            (None, Some(count), None) => quote!(walk.slots(#descriptor, &self.#name, self.#count);),
            (None, None, _) => quote!(codec::Wire::visit(&self.#name, walk, #descriptor);),
        };
        match self.gate() {
            Some(since) => quote!(if walk.layout().has(#since) { #visit }),
            None => visit,
        }
    }

    /// The version below which the field is skipped.
    fn gate(&self) -> Option<&LitInt> {
        self.since.as_ref().filter(|_| self.gated)
    }
}

/// The documentation comment as one line of text.
fn doc(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter(|attr| attr.path().is_ident("doc")).filter_map(|attr| {
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &attr.meta.require_name_value().ok()?.value
        else {
            return None;
        };
        Some(text.value().trim().to_owned())
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
