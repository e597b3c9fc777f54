//! Archives, and documents that are archives (ECMA-376): every entry is stored as it is.

use std::io::{Cursor, Write as _};

use ::zip::write::{SimpleFileOptions, ZipWriter};
use ::zip::{CompressionMethod, DateTime};

use super::noise;

/// An entry's name and what is in it.
type Part = (&'static str, String);

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PARTS: &str = "application/vnd.openxmlformats-officedocument";

/// A text in an archive.
pub(super) fn zip(bytes: usize) -> Vec<u8> {
    padded(&[("readme.txt", "egressd\n".to_owned())], bytes)
}

/// A document of one word.
pub(super) fn docx(bytes: usize) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let document = format!(
        "<w:document xmlns:w=\"{main}\"><w:body><w:p><w:r><w:t>egressd</w:t></w:r></w:p></w:body></w:document>"
    );
    let types = [("/word/document.xml", "wordprocessingml.document.main+xml")];
    padded(&office(&types, "word/document.xml", vec![("word/document.xml", xml(&document))]), bytes)
}

/// A table of one cell.
pub(super) fn xlsx(bytes: usize) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let book = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let sheet = format!(
        "<worksheet xmlns=\"{main}\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>egressd</t></is></c></row></sheetData></worksheet>"
    );
    let types = [
        ("/xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
        ("/xl/worksheets/sheet1.xml", "spreadsheetml.worksheet+xml"),
    ];
    let parts = vec![
        ("xl/workbook.xml", xml(&book)),
        ("xl/_rels/workbook.xml.rels", relations(&[("worksheet", "worksheets/sheet1.xml")])),
        ("xl/worksheets/sheet1.xml", xml(&sheet)),
    ];
    padded(&office(&types, "xl/workbook.xml", parts), bytes)
}

/// A presentation of one empty slide, with the master, the layout and the theme that one must have.
pub(super) fn pptx(bytes: usize) -> Vec<u8> {
    let types = [
        ("/ppt/presentation.xml", "presentationml.presentation.main+xml"),
        ("/ppt/slides/slide1.xml", "presentationml.slide+xml"),
        ("/ppt/slideLayouts/slideLayout1.xml", "presentationml.slideLayout+xml"),
        ("/ppt/slideMasters/slideMaster1.xml", "presentationml.slideMaster+xml"),
        ("/ppt/theme/theme1.xml", "theme+xml"),
    ];
    let (master, slide) = (
        "<p:sldMasterIdLst><p:sldMasterId id=\"2147483648\" r:id=\"rId1\"/></p:sldMasterIdLst>",
        "<p:sldIdLst><p:sldId id=\"256\" r:id=\"rId2\"/></p:sldIdLst>",
    );
    let sizes = "<p:sldSz cx=\"9144000\" cy=\"6858000\"/><p:notesSz cx=\"6858000\" cy=\"9144000\"/>";
    let colors = "<p:clrMap bg1=\"lt1\" tx1=\"dk1\" bg2=\"lt2\" tx2=\"dk2\" accent1=\"accent1\" accent2=\"accent2\" accent3=\"accent3\" accent4=\"accent4\" accent5=\"accent5\" accent6=\"accent6\" hlink=\"hlink\" folHlink=\"folHlink\"/>";
    let layouts = "<p:sldLayoutIdLst><p:sldLayoutId id=\"2147483649\" r:id=\"rId1\"/></p:sldLayoutIdLst>";
    let parts = vec![
        ("ppt/presentation.xml", slideware("presentation", &format!("{master}{slide}{sizes}"))),
        (
            "ppt/_rels/presentation.xml.rels",
            relations(&[("slideMaster", "slideMasters/slideMaster1.xml"), ("slide", "slides/slide1.xml")]),
        ),
        ("ppt/slides/slide1.xml", slideware("sld", TREE)),
        ("ppt/slides/_rels/slide1.xml.rels", relations(&[("slideLayout", "../slideLayouts/slideLayout1.xml")])),
        ("ppt/slideLayouts/slideLayout1.xml", slideware("sldLayout", TREE)),
        (
            "ppt/slideLayouts/_rels/slideLayout1.xml.rels",
            relations(&[("slideMaster", "../slideMasters/slideMaster1.xml")]),
        ),
        ("ppt/slideMasters/slideMaster1.xml", slideware("sldMaster", &format!("{TREE}{colors}{layouts}"))),
        (
            "ppt/slideMasters/_rels/slideMaster1.xml.rels",
            relations(&[("slideLayout", "../slideLayouts/slideLayout1.xml"), ("theme", "../theme/theme1.xml")]),
        ),
        ("ppt/theme/theme1.xml", theme()),
    ];
    padded(&office(&types, "ppt/presentation.xml", parts), bytes)
}

/// The shapes of a slide: none.
const TREE: &str = "<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>\
                    <p:grpSpPr/></p:spTree></p:cSld>";
const DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";

fn slideware(root: &str, content: &str) -> String {
    let main = "http://schemas.openxmlformats.org/presentationml/2006/main";
    xml(&format!("<p:{root} xmlns:a=\"{DRAWING}\" xmlns:r=\"{OFFICE}\" xmlns:p=\"{main}\">{content}</p:{root}>"))
}

fn theme() -> String {
    let names = [
        "dk1", "lt1", "dk2", "lt2", "accent1", "accent2", "accent3", "accent4", "accent5", "accent6", "hlink",
        "folHlink",
    ];
    let color = |name: &&str| format!("<a:{name}><a:srgbClr val=\"808080\"/></a:{name}>");
    let colors: String = names.iter().map(color).collect();
    let font = "<a:latin typeface=\"Arial\"/><a:ea typeface=\"\"/><a:cs typeface=\"\"/>";
    let fill = "<a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill>".repeat(3);
    let line = "<a:ln><a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill></a:ln>".repeat(3);
    let effect = "<a:effectStyle><a:effectLst/></a:effectStyle>".repeat(3);
    xml(&format!(
        "<a:theme xmlns:a=\"{DRAWING}\" name=\"egressd\"><a:themeElements><a:clrScheme name=\"egressd\">{colors}</a:clrScheme>\
         <a:fontScheme name=\"egressd\"><a:majorFont>{font}</a:majorFont><a:minorFont>{font}</a:minorFont></a:fontScheme>\
         <a:fmtScheme name=\"egressd\"><a:fillStyleLst>{fill}</a:fillStyleLst><a:lnStyleLst>{line}</a:lnStyleLst>\
         <a:effectStyleLst>{effect}</a:effectStyleLst><a:bgFillStyleLst>{fill}</a:bgFillStyleLst></a:fmtScheme>\
         </a:themeElements></a:theme>"
    ))
}

fn xml(content: &str) -> String {
    format!("{XML}{content}")
}

/// What every such document begins with, then its own parts.
fn office(types: &[(&str, &str)], main: &str, parts: Vec<Part>) -> Vec<Part> {
    let named = |(part, kind): &(&str, &str)| format!("<Override PartName=\"{part}\" ContentType=\"{PARTS}.{kind}\"/>");
    let named: String = types.iter().map(named).collect();
    let types = format!(
        "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"bin\" ContentType=\"application/octet-stream\"/>{named}</Types>"
    );
    let mut all = vec![("[Content_Types].xml", xml(&types)), ("_rels/.rels", relations(&[("officeDocument", main)]))];
    all.extend(parts);
    all
}

fn relations(to: &[(&str, &str)]) -> String {
    let one = |(number, (kind, target)): (usize, &(&str, &str))| {
        format!("<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    let all: String = (1..).zip(to).map(one).collect();
    xml(&format!("<Relationships xmlns=\"{PACKAGE}/relationships\">{all}</Relationships>"))
}

/// The archive with an entry more that brings it to the size.
fn padded(parts: &[Part], bytes: usize) -> Vec<u8> {
    let bare = archive(parts, 0).len();
    archive(parts, bytes - bare)
}

fn archive(parts: &[Part], padding: usize) -> Vec<u8> {
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let filler = noise(padding);
    let parts = parts.iter().map(|(name, content)| (*name, content.as_bytes()));
    for (name, content) in parts.chain([("padding.bin", filler.as_slice())]) {
        writer.start_file(name, stored).expect("a sound name");
        writer.write_all(content).expect("memory takes it");
    }
    writer.finish().expect("memory takes it").into_inner()
}
