import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

/** A picture in one colour with one corner in another, so that it can be seen which way up it is. */
const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#1b5e20' } }).composite([
    { input: { create: { width: 10, height: 10, channels: 3, background: '#ff0000' } }, left: 0, top: 0 },
  ]);

export const png = (width = 60, height = 40): Promise<Buffer> => picture(width, height).png().toBuffer();
export const jpeg = (width = 60, height = 40): Promise<Buffer> => picture(width, height).jpeg().toBuffer();
export const webp = (width = 60, height = 40): Promise<Buffer> => picture(width, height).webp().toBuffer();

/** Taken with the camera held sideways, at a place that is nobody's business. */
export const sidewaysJpeg = (): Promise<Buffer> =>
  picture(60, 40)
    .withExif({ IFD0: { Copyright: 'SECRET-OWNER' }, IFD3: { GPSLatitude: '26/1 54/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();

export const gif = (): Promise<Buffer> => picture(60, 40).gif().toBuffer();

export const svg = (): Buffer =>
  Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>',
  );

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A PNG that says it is as large as this, in some hundred bytes. */
export function pngBomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1_000_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
