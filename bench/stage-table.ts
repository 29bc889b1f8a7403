/** What one stage of a request costs, in microseconds. */
export type StageCost = { stage: string; median: number; p95: number; note?: string };

export function printStages(costs: readonly StageCost[]): void {
  console.log('\nWhat each stage of a request costs, one at a time, in microseconds');
  console.log(`  ${'stage'.padEnd(48)}${'median'.padStart(9)}${'p95'.padStart(9)}`);
  for (const { stage, median, p95, note } of costs) {
    const cells = [median, p95].map((value) => value.toFixed(value < 10 ? 1 : 0).padStart(9)).join('');
    console.log(`  ${stage.padEnd(48)}${cells}${note ? `  ${note}` : ''}`);
  }
}
