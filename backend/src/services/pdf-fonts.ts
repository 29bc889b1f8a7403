import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import pdfmake from 'pdfmake';
import type { TDocumentDefinitions } from 'pdfmake/interfaces';

/** What is used of a font of fontkit, pdfmake's reader of fonts. */
type Font = { hasGlyphForCodePoint(codePoint: number): boolean; _tables: object };
type FontKit = {
  create(file: Buffer): Font;
  registerFormat(format: { probe(file: Uint8Array): boolean; new (stream: { buffer: Uint8Array }): Font }): void;
};

const fromHere = createRequire(import.meta.url);
const fromPdfmake = createRequire(fromHere.resolve('pdfmake'));
// The very copy that PDFs are written with: formats are registered with it.
const fontkit = createRequire(fromPdfmake.resolve('pdfkit'))('fontkit') as FontKit;

/** The families that documents are written with, and where each weight lies. */
const FILES = {
  'Roboto-Regular': 'pdfmake/fonts/Roboto/Roboto-Regular.ttf',
  'Roboto-Medium': 'pdfmake/fonts/Roboto/Roboto-Medium.ttf',
  'Devanagari-Regular': '@expo-google-fonts/noto-sans-devanagari/400Regular/NotoSansDevanagari_400Regular.ttf',
  'Devanagari-SemiBold': '@expo-google-fonts/noto-sans-devanagari/600SemiBold/NotoSansDevanagari_600SemiBold.ttf',
} as const;
type FontName = keyof typeof FILES;

const MARK = 'shared-font:';
const loaded = new Map<FontName, { file: Buffer; font: Font }>();

/** Fonts are read when the first document needs them. */
function fontOf(name: FontName): { file: Buffer; font: Font } {
  let entry = loaded.get(name);
  if (!entry) {
    const file = readFileSync(fromHere.resolve(FILES[name]));
    entry = { file, font: fontkit.create(file) };
    loaded.set(name, entry);
  }
  return entry;
}

/**
 * A font whose tables were decoded for an earlier document: decoding is most of the time that a PDF takes, 4 ms instead
 * of 20, and 11 instead of 110 with Devanagari. Glyphs are not shared. They remember the text that they were first used
 * for, and a document must not depend on the one before it.
 */
class SharedFont {
  static probe(file: Uint8Array): boolean {
    return Buffer.from(file).toString('latin1').startsWith(MARK);
  }

  constructor({ buffer }: { buffer: Uint8Array }) {
    const { file, font } = fontOf(Buffer.from(buffer).toString('latin1').slice(MARK.length) as FontName);
    // oxlint-disable-next-line no-underscore-dangle -- the only way to hand them over
    return Object.assign(fontkit.create(file), { _tables: font._tables });
  }
}

fontkit.registerFormat(SharedFont as unknown as Parameters<FontKit['registerFormat']>[0]);
// The one file system that pdfmake may read: it holds names of fonts, and nothing of ours.
const { virtualfs } = pdfmake as unknown as { virtualfs: { writeFileSync(name: string, content: Buffer): void } };
for (const name of Object.keys(FILES)) virtualfs.writeFileSync(name, Buffer.from(MARK + name, 'latin1'));
pdfmake.setLocalAccessPolicy(() => false);
pdfmake.setUrlAccessPolicy(() => false);
pdfmake.setFonts({
  Roboto: { normal: 'Roboto-Regular', bold: 'Roboto-Medium' },
  Devanagari: { normal: 'Devanagari-Regular', bold: 'Devanagari-SemiBold' },
});

/** Makes a PDF. It reaches neither the network nor files, whatever the definition names. */
export const makePdf = (definition: TDocumentDefinitions): Promise<Buffer> => pdfmake.createPdf(definition).getBuffer();

type Run = { text: string; font: 'Roboto' | 'Devanagari' };

const LINE_END = /\r\n?|[\n\v\f\u0085\p{Zl}\p{Zp}]/gu;
const SPACE = /[\t\p{Zs}]/gu;
const PLAIN = /^[\n\x20-\x7e₹–]*$/;
/** What has no shape: control characters, signs that turn the direction of writing, widths of nothing; not joiners. */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
/** Devanagari is written with joiners, nothing else that we have a font for. */
const STRAY_JOINER = /(?<!\p{Script=Devanagari})[\u200c\u200d]+/gu;
const UNKNOWN = '\ufffd';

/**
 * A text as it can be printed, each part in the font that has its characters. What cannot be seen is left out, lines end
 * where they do only if `lines` says so, and what no font has becomes �.
 */
export function printable(text: string, { lines = false } = {}): string | Run[] {
  const spaced = text.replace(LINE_END, lines ? '\n' : ' ').replace(SPACE, ' ');
  if (PLAIN.test(spaced)) return spaced;
  const clean = spaced
    .normalize('NFC')
    .split('\n')
    .map((line) => line.replace(UNSEEN, '').replace(STRAY_JOINER, ''))
    .join('\n');
  const runs: Run[] = [];
  for (const character of clean) {
    const { font, text: seen } = fitting(character);
    const last = runs.at(-1);
    if (last?.font === font) last.text += seen;
    else runs.push({ font, text: seen });
  }
  return runs.length > 0 ? runs : '';
}

function fitting(character: string): Run {
  const codePoint = character.codePointAt(0) ?? 0;
  const has = (name: FontName) => fontOf(name).font.hasGlyphForCodePoint(codePoint);
  if (character === '\n' || has('Roboto-Regular')) return { font: 'Roboto', text: character };
  if (has('Devanagari-Regular')) return { font: 'Devanagari', text: character };
  return { font: 'Roboto', text: UNKNOWN };
}
