//! The third form of a capability update.

use alloc::vec::Vec;

use selsius_wire_derive::Wire;

use super::{AudioCapability, CustomPictureFormat, first};
use crate::{
    codec::{Field, FieldError, Kind, Layout, Mode, Problem, Reader, Walk, Wire, Writer},
    value::VideoLayout,
};

/// 0x0044. Audio, video and data formats, read as far as audio; the rest is the tail.
///
/// Nobody has a capture. One source says that only the slots in use are sent, another reads all slots as in
/// [`super::UpdateCapabilities`]; both are understood, and which one it is follows from the length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateCapabilitiesV3 {
    /// The counts.
    pub counts: CapabilityCounts,
    /// Picture formats, as many as were sent.
    pub custom_picture_format: Vec<CustomPictureFormat>,
    /// Conferences.
    pub conf_resources: ConfResourcesV3,
    /// Audio formats, as many as were sent.
    pub audiocaps: Vec<AudioCapability>,
}

/// How many slots are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct CapabilityCounts {
    /// Audio.
    pub audio_cap_count: u32,
    /// Video.
    pub video_cap_count: u32,
    /// Data.
    pub data_cap_count: u32,
    /// RTP payload format.
    pub rtp_payload_format: u32,
    /// Picture formats.
    pub custom_picture_format_count: u32,
}

/// What a phone can spend on conferences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfResourcesV3 {
    /// Streams at registration.
    pub active_streams_on_registration: u32,
    /// Bandwidth.
    pub max_bw: u32,
    /// Services in use.
    pub service_resource_count: u32,
    /// Services, as many as were sent.
    pub service_resource: Vec<ServiceResourceV3>,
}

/// One service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceResourceV3 {
    /// Layouts in use.
    pub layout_count: u32,
    /// Picture layouts, as many as were sent.
    pub layouts: Vec<VideoLayout>,
    /// Number, most streams, most conferences, conferences at registration.
    pub limits: [u32; 4],
}

impl UpdateCapabilitiesV3 {
    /// These audio formats, nothing else, only the slots in use.
    pub fn new(audio: &[AudioCapability]) -> Self {
        let audiocaps: Vec<_> = audio.iter().copied().take(Self::AUDIO).collect();
        let audio_cap_count = u32::try_from(audiocaps.len()).unwrap_or_default();
        Self {
            counts: CapabilityCounts { audio_cap_count, ..Default::default() },
            audiocaps,
            ..Self::absent()
        }
    }

    /// The audio formats in use.
    pub fn audio(&self) -> &[AudioCapability] {
        first(&self.audiocaps, self.counts.audio_cap_count)
    }

    const PICTURES: usize = 6;
    const SERVICES: usize = 4;
    const LAYOUTS: usize = 5;
    const AUDIO: usize = 18;
    /// Body length with all slots.
    const ALL_SLOTS: usize = 2100;
    /// Bytes of a video format: before v16, and with the word that v16 added.
    const VIDEO_WIDTHS: [usize; 2] = [140, 144];
    /// Bytes of a data format.
    const DATA_WIDTH: usize = 20;

    fn decode_form(r: &mut Reader<'_>, form: Form) -> Result<Self, FieldError> {
        let counts: CapabilityCounts = r.field("counts")?;
        let pictures = counts.custom_picture_format_count;
        let custom_picture_format = form.read(r, "custom_picture_format", pictures, Self::PICTURES)?;
        let mut conf = ConfResourcesV3 {
            active_streams_on_registration: r.field("active_streams_on_registration")?,
            max_bw: r.field("max_bw")?,
            service_resource_count: r.field("service_resource_count")?,
            service_resource: Vec::new(),
        };
        let services = usize::try_from(conf.service_resource_count).unwrap_or(usize::MAX);
        let sent = if form == Form::UsedSlots { services.min(Self::SERVICES) } else { Self::SERVICES };
        while conf.service_resource.len() < sent && !r.at_end() {
            let layout_count = r.field("layout_count")?;
            let layouts = form.read(r, "layouts", layout_count, Self::LAYOUTS)?;
            conf.service_resource.push(ServiceResourceV3 {
                layout_count,
                layouts,
                limits: r.field("limits")?,
            });
        }
        let present = conf.service_resource.len();
        if services > present {
            let problem = Problem::Count { count: conf.service_resource_count, capacity: present };
            let error = FieldError { field: "service_resource", ..r.error(problem) };
            r.complain(error)?;
        }
        let audiocaps = form.read(r, "audiocaps", counts.audio_cap_count, Self::AUDIO)?;
        Ok(Self { counts, custom_picture_format, conf_resources: conf, audiocaps })
    }

    /// Which form a body has: the one with only the used slots if that accounts for every byte.
    fn form(body: &[u8], layout: Layout) -> Form {
        if body.len() >= Self::ALL_SLOTS {
            return Form::AllSlots;
        }
        let mut probe = Reader::new(body, layout, Mode::Strict);
        let Ok(message) = Self::decode_form(&mut probe, Form::UsedSlots) else {
            return Form::AllSlots;
        };
        let rest = body.len() - probe.offset();
        let fits = |width: usize| {
            let elements = |count: u32, width: usize| usize::try_from(count).ok()?.checked_mul(width);
            let video = elements(message.counts.video_cap_count, width)?;
            video.checked_add(elements(message.counts.data_cap_count, Self::DATA_WIDTH)?)
        };
        let accounted = Self::VIDEO_WIDTHS.into_iter().any(|width| fits(width) == Some(rest));
        if accounted { Form::UsedSlots } else { Form::AllSlots }
    }
}

/// How slots are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    UsedSlots,
    AllSlots,
}

impl Form {
    fn read<T: Wire>(
        self,
        r: &mut Reader<'_>,
        name: &'static str,
        count: u32,
        capacity: usize,
    ) -> Result<Vec<T>, FieldError> {
        if self == Self::UsedSlots {
            return r.list(name, count, capacity);
        }
        let mut slots = Vec::new();
        while slots.len() < capacity && !r.at_end() {
            slots.push(r.field(name)?);
        }
        if usize::try_from(count).map_or(true, |count| count > slots.len()) {
            let problem = Problem::Count { count, capacity: slots.len() };
            let error = FieldError { field: name, ..r.error(problem) };
            r.complain(error)?;
        }
        Ok(slots)
    }
}

/// A descriptor of this message.
const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, since: 0, until: u8::MAX, doc: "" }
}

static FIELDS: [Field; 7] = [
    field("counts", CapabilityCounts::KIND),
    field(
        "custom_picture_format",
        Kind::List { of: &CustomPictureFormat::KIND, max: UpdateCapabilitiesV3::PICTURES },
    ),
    field("active_streams_on_registration", Kind::U32),
    field("max_bw", Kind::U32),
    field("service_resource_count", Kind::U32),
    field("service_resource", Kind::Struct(&SERVICE_FIELDS)),
    field("audiocaps", Kind::List { of: &AudioCapability::KIND, max: UpdateCapabilitiesV3::AUDIO }),
];

static SERVICE_FIELDS: [Field; 3] = [
    field("layout_count", Kind::U32),
    field("layouts", Kind::List { of: &VideoLayout::KIND, max: UpdateCapabilitiesV3::LAYOUTS }),
    field("limits", <[u32; 4]>::KIND),
];

impl Default for UpdateCapabilitiesV3 {
    fn default() -> Self {
        Self::absent()
    }
}

impl Wire for UpdateCapabilitiesV3 {
    const KIND: Kind = Kind::Struct(&FIELDS);

    fn absent() -> Self {
        Self {
            counts: CapabilityCounts::default(),
            custom_picture_format: Vec::new(),
            conf_resources: ConfResourcesV3::default(),
            audiocaps: Vec::new(),
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        let form = Self::form(r.peek(), r.layout());
        Self::decode_form(r, form)
    }

    fn encode(&self, w: &mut Writer<'_>) {
        self.counts.encode(w);
        self.custom_picture_format.encode(w);
        let conf = &self.conf_resources;
        [conf.active_streams_on_registration, conf.max_bw, conf.service_resource_count].encode(w);
        for service in &conf.service_resource {
            service.layout_count.encode(w);
            service.layouts.encode(w);
            service.limits.encode(w);
        }
        self.audiocaps.encode(w);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        if walk.enter(field) {
            self.visit_fields(walk);
            walk.leave();
        }
    }

    fn visit_fields(&self, walk: &mut Walk<'_>) {
        let [counts, pictures, streams, max_bw, services, service, audio] = &FIELDS;
        let [layout_count, layouts, limits] = &SERVICE_FIELDS;
        self.counts.visit(walk, counts);
        walk.slots(pictures, &self.custom_picture_format, self.counts.custom_picture_format_count);
        let conf = &self.conf_resources;
        conf.active_streams_on_registration.visit(walk, streams);
        conf.max_bw.visit(walk, max_bw);
        conf.service_resource_count.visit(walk, services);
        for sent in &conf.service_resource {
            if walk.enter(service) {
                sent.layout_count.visit(walk, layout_count);
                walk.slots(layouts, &sent.layouts, sent.layout_count);
                sent.limits.visit(walk, limits);
                walk.leave();
            }
        }
        walk.slots(audio, &self.audiocaps, self.counts.audio_cap_count);
    }
}
