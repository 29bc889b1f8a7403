import { SaxesParser } from 'saxes';
import { AppError } from '../utils/errors.ts';
import { badFile } from './import-sheet.ts';

/** What happens along an XML part. Names are without their prefix. */
export type XmlHandler = {
  open?(name: string, attributes: Record<string, string>): void;
  close?(name: string): void;
  /** Complete: from one tag to the next. */
  text?(text: string): void;
};

/** So much may come between two tags; a cell has 32,767 characters at most. */
const MAX_SILENCE = 256 * 1024;

const malformed = (): AppError => badFile('is a damaged XLSX. Open it in a spreadsheet and save it again.');
const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/**
 * Goes along a part, with a pause after each piece so that what was found can be taken on. Nothing but the tag in hand
 * is kept; entities of a part's own are unknown to it.
 * @throws AppError validation_failed for what is no well-formed XML
 */
export async function* walkXml(content: AsyncIterable<Buffer>, handler: XmlHandler): AsyncGenerator<void> {
  let silence = 0;
  const parser = new SaxesParser({ position: false });
  const heard = () => (silence = 0);
  parser.on('doctype', () => {
    throw malformed();
  });
  parser.on('opentag', ({ name, attributes }) => {
    heard();
    handler.open?.(localName(name), attributes as Record<string, string>);
  });
  parser.on('closetag', ({ name }) => {
    heard();
    handler.close?.(localName(name));
  });
  parser.on('text', (text) => handler.text?.(text));
  parser.on('cdata', (text) => handler.text?.(text));
  parser.on('error', (error) => {
    throw error;
  });
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  try {
    for await (const chunk of content) {
      decoder ??= new TextDecoder(chunk[0] === 0xff && chunk[1] === 0xfe ? 'utf-16le' : 'utf-8', { fatal: true });
      silence += chunk.length;
      parser.write(decoder.decode(chunk, { stream: true }));
      if (silence > MAX_SILENCE) throw malformed();
      yield;
    }
    parser.write(decoder?.decode() ?? '').close();
    yield;
  } catch (error) {
    throw error instanceof AppError ? error : malformed();
  }
}

/** The same for a part that is small, or of which little is kept. */
export async function readXml(content: AsyncIterable<Buffer> | undefined, handler: XmlHandler): Promise<void> {
  if (!content) return;
  for await (const _ of walkXml(content, handler));
}
