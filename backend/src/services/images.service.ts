import { open } from 'node:fs/promises';
import sharp from 'sharp';
import { invalidField } from '../utils/errors.ts';

/** An image that we encoded ourselves: nothing of what was sent is in it but its pixels. */
export type EncodedImage = { content: Buffer; width: number; height: number };

const MOST_PIXELS = 30_000_000;
const LONGEST_SIDE = 512;
const SECONDS = 10;

/** What each kind begins with. The name of a file, and what its sender says of it, count for nothing. */
const kinds: readonly { format: string; begins: (head: Buffer) => boolean }[] = [
  { format: 'png', begins: (head) => head.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')) },
  { format: 'jpeg', begins: (head) => head.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')) },
  {
    format: 'webp',
    begins: (head) => head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP',
  },
];

// Nothing else is ever decoded, whatever a file claims to be; and no file that is replaced is remembered.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadPng', 'VipsForeignLoadJpeg', 'VipsForeignLoadWebp'] });
sharp.cache(false);

/**
 * Reads a PNG, JPEG or WebP and encodes it anew as PNG, at most 512 pixels wide and high, upright, without anything that
 * stood beside the pixels.
 * @param path of the file
 * @param field what is named when it is refused
 * @throws AppError validation_failed for anything that is not a whole, still image of at most 30 million pixels
 */
export async function encodedImage(path: string, field: string): Promise<EncodedImage> {
  const refuse = (message: string) => invalidField(field, message);
  const head = await headOf(path);
  const kind = kinds.find(({ begins }) => begins(head));
  if (!kind) throw refuse('must be an image: PNG, JPEG or WebP');
  const options = { limitInputPixels: MOST_PIXELS, failOn: 'error', animated: false } as const;
  try {
    const { format, width, height, pages = 1 } = await sharp(path, { ...options, limitInputPixels: false }).metadata();
    if (format !== kind.format) throw refuse('must be an image: PNG, JPEG or WebP');
    if (width * height > MOST_PIXELS) throw refuse('must have at most 30 million pixels');
    if (pages > 1) throw refuse('must be a still image, not an animation');
    const { data, info } = await sharp(path, options)
      .autoOrient()
      .resize({ width: LONGEST_SIDE, height: LONGEST_SIDE, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .png({ compressionLevel: 9 })
      .timeout({ seconds: SECONDS })
      .toBuffer({ resolveWithObject: true });
    return { content: data, width: info.width, height: info.height };
  } catch (error) {
    if (error instanceof Error && error.name === 'AppError') throw error;
    throw refuse('must be a whole image: this one cannot be read');
  }
}

async function headOf(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
