import { hash, verify } from '@node-rs/argon2';

// Argon2id is the library's default. Rule 1: m=19456, t=2, p=1.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const currentPrefix = '$argon2id$v=19$m=19456,t=2,p=1$';

/** The hash of no password: what is compared when there is no account, so that it takes the same time. */
const dummyHash = '$argon2id$v=19$m=19456,t=2,p=1$m98SyYbIBQmGkNunN+rCmg$4CvlE3kzKs+LXSMV7dl1fQCVWR6lzRNLvFHOsxyjA7c';

export const hashPassword = (password: string): Promise<string> => hash(password, cost);

/** Whether the password is right; always does the work of one verification, also when there is nothing to compare. */
export async function verifyPassword(passwordHash: string | null | undefined, password: string): Promise<boolean> {
  const matches = await verify(passwordHash ?? dummyHash, password);
  return matches && Boolean(passwordHash);
}

/** Whether the hash was made with older parameters than today's. */
export const needsRehash = (passwordHash: string): boolean => !passwordHash.startsWith(currentPrefix);
