import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { encodedImage } from '../../../src/services/images.service.ts';
import * as samples from './image-samples.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-images-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let serial = 0;
const encode = (content: Buffer) => {
  const file = path.join(directory, `${(serial += 1)}.upload`);
  writeFileSync(file, content);
  return encodedImage(file, 'file');
};
const redAt = async (content: Buffer, left: number, top: number) => {
  const pixel = await sharp(content).removeAlpha().extract({ left, top, width: 1, height: 1 }).raw().toBuffer();
  return (pixel[0] ?? 0) > 200;
};

describe('An image', () => {
  it.each([
    ['PNG', samples.png],
    ['JPEG', samples.jpeg],
    ['WebP', samples.webp],
  ])('of the kind %s becomes a PNG of the same size', async (_kind, sample) => {
    const { content, width, height } = await encode(await sample());
    expect(await sharp(content).metadata()).toMatchObject({ format: 'png', width: 60, height: 40, space: 'srgb' });
    expect([width, height]).toEqual([60, 40]);
  });

  it('that is large is made to fit, and keeps its shape', async () => {
    const { content, width, height } = await encode(await samples.jpeg(3000, 1000));
    expect([width, height]).toEqual([512, 171]);
    expect(content.length).toBeLessThan(600_000);
  });

  it('is turned upright, and nothing of what stood beside the pixels is left', async () => {
    const original = await samples.sidewaysJpeg();
    expect(original.includes('SECRET-OWNER')).toBe(true);
    const { content, width, height } = await encode(original);
    expect([width, height]).toEqual([40, 60]);
    expect(await redAt(content, 36, 3)).toBe(true);
    expect(await redAt(content, 3, 3)).toBe(false);
    expect(content.includes('SECRET-OWNER')).toBe(false);
    const { exif, icc, xmp, orientation } = await sharp(content).metadata();
    expect([exif, icc, xmp, orientation]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('with something else behind it loses that', async () => {
    const script = Buffer.from('<script>alert(1)</script><?php system($_GET["x"]); ?>PK\u0003\u0004');
    for (const sample of [await samples.png(), await samples.jpeg()]) {
      const { content } = await encode(Buffer.concat([sample, script]));
      expect(content.includes('script')).toBe(false);
      expect(content.includes('php')).toBe(false);
    }
  });
});

describe('Refused is', () => {
  const refused = (message: RegExp) => ({
    code: 'validation_failed',
    details: { issues: [{ in: 'body', field: 'file', message: expect.stringMatching(message) }] },
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['an SVG', samples.svg],
    ['an SVG behind a declaration', () => Buffer.concat([Buffer.from('<?xml version="1.0"?>\n'), samples.svg()])],
    ['a GIF', samples.gif],
    ['a GIF that is a script', () => Buffer.from('GIF89a/*\u0001\u0001*/=1;alert(1)//')],
    ['a page', () => Buffer.from('<!doctype html><script>alert(1)</script>')],
    ['a PDF', () => Buffer.from('%PDF-1.7\n')],
    ['a zip', () => Buffer.from('PK\u0003\u0004')],
    ['nothing', () => Buffer.alloc(0)],
    ['a page behind the first bytes of a picture', () => Buffer.from('\u00ff<script>alert(1)</script>', 'latin1')],
  ])('%s: it is no image of these kinds', async (_what, sample) => {
    await expect(encode(await sample())).rejects.toMatchObject(refused(/PNG, JPEG or WebP/));
  });

  it.each<[string, () => Buffer | Promise<Buffer>]>([
    ['a PNG that breaks off', async () => (await samples.png(600, 400)).subarray(0, 300)],
    ['a JPEG that breaks off', async () => (await samples.jpeg(600, 400)).subarray(0, 700)],
    ['a WebP that breaks off', async () => (await samples.webp(600, 400)).subarray(0, 60)],
    ['the signature of a PNG alone', () => Buffer.from('89504e470d0a1a0a', 'hex')],
    ['an SVG behind the signature of a JPEG', () => Buffer.concat([Buffer.from('ffd8ff', 'hex'), samples.svg()])],
    [
      'a page behind the signature of a PNG',
      () => Buffer.from('\u0089PNG\r\n\u001a\n<script>alert(1)</script>', 'latin1'),
    ],
  ])('%s: it cannot be read', async (_what, sample) => {
    await expect(encode(await sample())).rejects.toMatchObject(refused(/cannot be read/));
  });

  it('a bomb, before it is unpacked', async () => {
    const began = Date.now();
    const before = process.memoryUsage.rss();
    for (const [width, height] of [
      [50_000, 50_000],
      [1, 30_000_001],
      [30_000, 1_001],
    ] as const) {
      await expect(encode(samples.pngBomb(width, height))).rejects.toMatchObject(
        refused(/30 million pixels|cannot be read/),
      );
    }
    expect(Date.now() - began).toBeLessThan(2_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150_000_000);
  });

  it('an animation', async () => {
    const frames = await Promise.all(
      ['#ff0000', '#00ff00', '#0000ff'].map((background) =>
        sharp({ create: { width: 20, height: 20, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const animation = await sharp(frames, { join: { animated: true } })
      .webp({ loop: 0, delay: [100, 100, 100] })
      .toBuffer();
    await expect(encode(animation)).rejects.toMatchObject(refused(/not an animation/));
  });
});
