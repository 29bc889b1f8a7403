import { hash, verify } from '@node-rs/argon2';

// Argon2id is the library's default. Rule 1: m=19456, t=2, p=1.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const costsOfHash = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/;

/** The hash of no password: what is compared when there is no account, so that it takes the same time. */
export const dummyHash =
  '$argon2id$v=19$m=19456,t=2,p=1$m98SyYbIBQmGkNunN+rCmg$4CvlE3kzKs+LXSMV7dl1fQCVWR6lzRNLvFHOsxyjA7c';

/** The same letters typed on another keyboard may come as other code points: é is one or two of them. */
const sameForm = (password: string): string => password.normalize('NFKC');

export const hashPassword = (password: string): Promise<string> => hash(sameForm(password), cost);

/** Whether the password is right; always does the work of one verification, also when there is nothing to compare. */
export async function verifyPassword(passwordHash: string | null | undefined, password: string): Promise<boolean> {
  const matches = await verify(passwordHash ?? dummyHash, sameForm(password));
  return matches && Boolean(passwordHash);
}

/** Whether the hash was made with lower parameters than today's. One that costs more is left as it is. */
export function needsRehash(passwordHash: string): boolean {
  const [, memoryCost, timeCost] = costsOfHash.exec(passwordHash) ?? [];
  return !(Number(memoryCost) >= cost.memoryCost && Number(timeCost) >= cost.timeCost);
}
