const DECIMAL = /^(-?)0*(\d+)(\.\d+)?$/;
const ZERO = /^[0.]*$/;

/**
 * A number with the commas of India: thousands, then lakhs and crores by twos.
 * @param amount digits, with a minus and decimals or without, such as `123456.78` → `1,23,456.78`; the decimals stay as they are
 * @throws RangeError for anything else
 */
export function formatIndian(amount: string): string {
  const [, minus, integer, decimals = ''] = DECIMAL.exec(amount) ?? [];
  if (integer === undefined) throw new RangeError(`Not a number in digits: ${JSON.stringify(amount)}`);
  const digits = integer.replace(/(\d)(?=(\d\d)+\d$)/g, '$1,') + decimals;
  // Minus nothing is nothing.
  return ZERO.test(integer + decimals) ? digits : minus + digits;
}
