import { describe } from 'vitest';
import { jobContract } from './contract.ts';

describe('jobs on PostgreSQL', () => jobContract(() => ({})));
