//! A picture for a phone's screen: a PNG file made as small and as grey as the phone's display.

use std::{io::Cursor, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::BytesRejection},
    http::StatusCode,
};
use png::{ColorType, Decoder, DecodingError, Limits, Transformations};
use selsius_exchange::PushError;
use selsius_phone_xml::{Encoding, Image, Picture};
use selsius_site::{Model, PictureArea};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;

use super::{Admin, Done, audit::Did, devices::named, failure::Failure};
use crate::{api, core::Command};

/// Points of a picture that is taken: more than any photograph that makes sense on a phone.
const POINTS: u64 = 16 << 20;
/// Memory that the decoder may take beside the points themselves, in bytes.
const MEMORY: usize = 16 << 20;

/// What stands above a picture.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Title {
    /// What stands above the picture; a phone shows 32 characters.
    #[serde(default)]
    title: String,
}

/// Shows a PNG picture on a phone's screen, as large as the display takes and in its four shades, until the user leaves it.
#[utoipa::path(post, path = "/v1/devices/{name}/picture", tag = "phones",
    params(("name" = String, Path), Title),
    request_body(content_type = "image/png", content = Vec<u8>),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed, and the phone shows nothing.", body = api::Error),
    ))]
pub(super) async fn picture(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    Query(Title { title }): Query<Title>,
    file: Result<Bytes, BytesRejection>,
) -> Done {
    let file = file.map_err(|rejection| {
        Failure::new(rejection.status(), rejection.body_text(), "a picture has 2 MB at most")
    })?;
    let name = named(&name)?;
    let here = admin.exchange.ask(|answer| Command::Device(name.clone(), answer)).await?;
    let Some((status, _)) = here else { return Err(Failure::not_registered(&name)) };
    let model = Model::from_device_type(status.device_type.into());
    let facts = model.and_then(|model| model.facts());
    let Some(area) = facts.and_then(|facts| facts.pictures) else {
        let model = facts.map_or("of a model that is not known", |facts| facts.name);
        let error = format!("{name} ({model}) shows no pictures");
        let hint =
            "docs/phone-services.md lists the models that do; `selsius device message` shows a text on all";
        return Err(Failure::new(StatusCode::CONFLICT, error, hint));
    };
    let drawn = spawn_blocking(move || draw(&file, area)).await;
    let drawn = drawn.map_err(|error| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the picture cannot be drawn: {error}"), "")
    })?;
    let picture = drawn.map_err(|error| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            format!("the picture cannot be read: {error}"),
            "it has to be PNG",
        )
    })?;
    let what =
        format!("device message {name} --picture {title:?} ({}x{})", picture.width(), picture.height());
    let image = Image { title, prompt: String::new(), corner: None, picture, keys: Vec::new() };
    let xml = String::from_utf8_lossy(&image.to_xml(Encoding::Ascii)).into_owned();
    let pushed = admin.exchange.ask(|answer| Command::Push(name.clone(), xml, answer)).await?;
    match pushed {
        Ok(()) => Ok((Did::this(what), Json(api::Done {}))),
        Err(PushError::NotRegistered) => Err(Failure::not_registered(&name)),
        Err(error) => {
            let error = format!("{name} cannot be sent the picture: {error}");
            let hint = "phones take pictures with protocol version 11 or later: newer firmware has it";
            Err(Failure::new(StatusCode::CONFLICT, error, hint))
        }
    }
}

/// The picture of a PNG file, made smaller until it fits and never larger.
fn draw(file: &[u8], area: PictureArea) -> Result<Picture, DecodingError> {
    let grey = Grey::read(file)?;
    let (width, height) = grey.fitting(area);
    let points = dithered(grey.scaled(width, height), width);
    // A picture that fits has 1 to 65,535 rows and columns.
    Picture::new(u16::try_from(width).unwrap_or(u16::MAX), points).ok_or(DecodingError::LimitsExceeded)
}

/// A picture as blackness, 0.0 (white) to 1.0 a point.
struct Grey {
    width: usize,
    height: usize,
    black: Vec<f32>,
}

impl Grey {
    fn read(file: &[u8]) -> Result<Self, DecodingError> {
        let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: MEMORY });
        // Palettes as colours, 8 bits a channel.
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let info = reader.info();
        if u64::from(info.width) * u64::from(info.height) > POINTS {
            return Err(DecodingError::LimitsExceeded);
        }
        let size = reader.output_buffer_size().ok_or(DecodingError::LimitsExceeded)?;
        let mut bytes = vec![0; size];
        let frame = reader.next_frame(&mut bytes)?;
        let (width, height) = (frame.width as usize, frame.height as usize);
        // The paper is white where the picture can be seen through.
        let black = |grey: f32, alpha: u8| (1.0 - grey / 255.0) * f32::from(alpha) / 255.0;
        // Brightness as in ITU-R BT.601.
        let luma = |r: u8, g: u8, b: u8| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
        let point = |point: &[u8]| match *point {
            [grey] => black(grey.into(), 255),
            [grey, alpha] => black(grey.into(), alpha),
            [r, g, b] => black(luma(r, g, b), 255),
            [r, g, b, alpha] => black(luma(r, g, b), alpha),
            _ => 0.0,
        };
        let channels = match frame.color_type {
            ColorType::Grayscale | ColorType::Indexed => 1,
            ColorType::GrayscaleAlpha => 2,
            ColorType::Rgb => 3,
            ColorType::Rgba => 4,
        };
        let black = bytes[..frame.buffer_size()].chunks_exact(channels).map(point).collect();
        Ok(Self { width, height, black })
    }

    /// The size that fits and keeps the shape, at least one point each way.
    fn fitting(&self, area: PictureArea) -> (usize, usize) {
        let (most_wide, most_high) = (usize::from(area.width), usize::from(area.height));
        let (width, height) = (self.width.max(1), self.height.max(1));
        if width <= most_wide && height <= most_high {
            return (width, height);
        }
        // Whichever side is the tighter one.
        if width * most_high > height * most_wide {
            (most_wide, (height * most_wide / width).max(1))
        } else {
            ((width * most_high / height).max(1), most_high)
        }
    }

    /// Smaller, each point the mean of those that it stands for.
    fn scaled(&self, width: usize, height: usize) -> Vec<f32> {
        let part = |at: usize, of: usize, all: usize| at * all / of..((at + 1) * all).div_ceil(of).min(all);
        let mut points = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let (rows, columns) = (part(y, height, self.height), part(x, width, self.width));
                let count = (rows.len() * columns.len()) as f32;
                let sum: f32 =
                    rows.map(|row| self.black[row * self.width..][columns.clone()].iter().sum::<f32>()).sum();
                points.push(sum / count.max(1.0));
            }
        }
        points
    }
}

/// The nearest of four shades, what is left over going to the neighbours (Floyd and Steinberg).
fn dithered(mut black: Vec<f32>, width: usize) -> Vec<u8> {
    let mut shades = Vec::with_capacity(black.len());
    for at in 0..black.len() {
        let wanted = black[at].clamp(0.0, 1.0);
        let shade = (wanted * 3.0).round();
        let left_over = wanted - shade / 3.0;
        let (first, last) = (at % width == 0, at % width == width - 1);
        let neighbours = [
            (at + 1, 7.0, !last),
            ((at + width).wrapping_sub(1), 3.0, !first),
            (at + width, 5.0, true),
            (at + width + 1, 1.0, !last),
        ];
        for (neighbour, sixteenths, here) in neighbours {
            if here && let Some(black) = black.get_mut(neighbour) {
                *black += left_over * sixteenths / 16.0;
            }
        }
        shades.push(shade as u8);
    }
    shades
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, Encoder};

    use super::*;

    const AREA: PictureArea = PictureArea { width: 133, height: 65 };

    fn png(color: ColorType, depth: BitDepth, (width, height): (u32, u32), data: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![255, 255, 255, 0, 0, 0]);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        file
    }

    fn rows(picture: &Picture) -> Vec<Vec<u8>> {
        picture.rows().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn every_kind_of_png_is_read() {
        use BitDepth::{Eight, One, Sixteen};
        for (color, depth, data) in [
            (ColorType::Grayscale, Eight, &[255, 170, 85, 0][..]),
            (ColorType::Grayscale, Sixteen, &[255, 255, 170, 170, 85, 85, 0, 0]),
            (ColorType::GrayscaleAlpha, Eight, &[0, 0, 170, 255, 0, 170, 0, 255]),
            (ColorType::Rgb, Eight, &[255, 255, 255, 170, 170, 170, 85, 85, 85, 0, 0, 0]),
            (ColorType::Rgba, Eight, &[9, 9, 9, 0, 170, 170, 170, 255, 85, 85, 85, 255, 0, 0, 0, 255]),
        ] {
            let picture = draw(&png(color, depth, (4, 1), data), AREA).unwrap();
            assert_eq!(rows(&picture), [[0, 1, 2, 3]], "{color:?} {depth:?}");
        }
        let picture = draw(&png(ColorType::Indexed, One, (3, 2), &[0b0100_0000, 0b1010_0000]), AREA).unwrap();
        assert_eq!(rows(&picture), [[0, 3, 0], [3, 0, 3]]);
    }

    #[test]
    fn pictures_become_as_small_as_the_display_and_never_larger() {
        for (size, expected) in [
            ((133, 65), (133, 65)),
            ((134, 65), (133, 64)),
            ((266, 130), (133, 65)),
            ((100, 650), (10, 65)),
            ((1, 5000), (1, 65)),
            ((5000, 1), (133, 1)),
            ((1, 1), (1, 1)),
        ] {
            let white = vec![255; (size.0 * size.1) as usize];
            let picture = draw(&png(ColorType::Grayscale, BitDepth::Eight, size, &white), AREA).unwrap();
            assert_eq!((picture.width(), picture.height()), expected, "{size:?}");
            assert!(picture.rows().flatten().all(|&point| point == 0), "{size:?}");
        }
    }

    #[test]
    fn what_lies_between_two_shades_is_a_mixture() {
        let grey = |value: u8| {
            let picture =
                draw(&png(ColorType::Grayscale, BitDepth::Eight, (100, 60), &[value; 6000]), AREA).unwrap();
            picture.rows().flatten().map(|&point| f64::from(point)).sum::<f64>() / 6000.0
        };
        for value in [0, 40, 128, 200, 255] {
            let expected = 3.0 * (1.0 - f64::from(value) / 255.0);
            assert!((grey(value) - expected).abs() < 0.03, "{value}: {} for {expected}", grey(value));
        }
    }

    #[test]
    fn what_is_no_png_or_too_much_is_refused() {
        let whole = png(
            ColorType::Grayscale,
            BitDepth::Eight,
            (50, 50),
            &(0..2500).map(|at| at as u8).collect::<Vec<_>>(),
        );
        for end in 0..whole.len() - 12 {
            assert!(draw(&whole[..end], AREA).is_err(), "cut off at {end}");
        }
        assert!(draw(b"GIF89a", AREA).is_err());
        // A few bytes that would unfold into more than 16 million points.
        let bomb = png(ColorType::Grayscale, BitDepth::One, (8192, 4096), &vec![0; 1024 * 4096]);
        assert!(bomb.len() < 64 << 10, "{}", bomb.len());
        assert!(matches!(draw(&bomb, AREA), Err(DecodingError::LimitsExceeded)));
    }
}
