import { hash } from '@node-rs/argon2';
import { beforeAll, describe, expect, it } from 'vitest';
import { hashPassword, needsRehash, verifyPassword, dummyHash } from '../../src/utils/password.ts';

const PASSWORD = 'three-quiet-reading-rooms';
const argon2d = 0;
const argon2i = 1;

describe('Passwords', () => {
  let hashed: string;
  beforeAll(async () => {
    hashed = await hashPassword(PASSWORD);
  });

  it('are hashed with Argon2id, 19 MiB, two passes, one lane, and a salt of their own', async () => {
    expect(hashed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43}$/);
    expect(await hashPassword(PASSWORD)).not.toBe(hashed);
  });

  it.each([
    ['the same', PASSWORD, true],
    ['another', `${PASSWORD}s`, false],
    ['in other letters', PASSWORD.toUpperCase(), false],
    ['with a space at the end', `${PASSWORD} `, false],
    ['cut short', PASSWORD.slice(0, -1), false],
    ['with NUL at the end', `${PASSWORD}\0`, false],
    ['none', '', false],
    ['broken Unicode', '\ud800', false],
  ])('%s: %j is right: %s', async (_what, password, isRight) => {
    expect(await verifyPassword(hashed, password)).toBe(isRight);
  });

  it('count up to their last character, however long', async () => {
    const long = `${'x'.repeat(199)}a`;
    expect(await verifyPassword(await hashPassword(long), `${'x'.repeat(199)}b`)).toBe(false);
  });

  it('are the same whichever keyboard composes their letters', async () => {
    expect(await verifyPassword(await hashPassword('café-ño-reading'), 'cafe\u0301-n\u0303o-reading')).toBe(true);
    expect(await verifyPassword(await hashPassword('पढ़ाई का कमरा'), 'पढ\u093cाई का कमरा'.normalize('NFD'))).toBe(true);
  });

  it.each([null, undefined])('are never right where there is none (%s)', async (missing) => {
    expect(await verifyPassword(missing, '')).toBe(false);
    expect(await verifyPassword(missing, PASSWORD)).toBe(false);
  });

  it('cost the same to check where there is no account: the hash that stands in has the same parameters', () => {
    const parameters = (phc: string) => phc.split('$').slice(1, 4);
    expect(parameters(dummyHash)).toEqual(parameters(hashed));
  });
});

describe('A hash is made anew', () => {
  const made = (options: Parameters<typeof hash>[1]) => hash(PASSWORD, { parallelism: 1, ...options });

  it('when it has less memory or fewer passes than today, or is of another kind', async () => {
    expect(needsRehash(await made({ memoryCost: 19_455, timeCost: 2 }))).toBe(true);
    expect(needsRehash(await made({ memoryCost: 19_456, timeCost: 1 }))).toBe(true);
    expect(needsRehash(await made({ memoryCost: 19_456, timeCost: 2, algorithm: argon2i }))).toBe(true);
    expect(needsRehash(await made({ memoryCost: 19_456, timeCost: 2, algorithm: argon2d }))).toBe(true);
    expect(needsRehash('$2b$12$abcdefghijklmnopqrstuv')).toBe(true);
    expect(needsRehash('')).toBe(true);
  });

  it('but not when it is as strong or stronger', async () => {
    expect(needsRehash(await hashPassword(PASSWORD))).toBe(false);
    expect(needsRehash(await made({ memoryCost: 20_000, timeCost: 3 }))).toBe(false);
  });
});
