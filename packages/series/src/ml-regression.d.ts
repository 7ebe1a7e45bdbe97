// ml-regression 6.3.0 ships no types. Declared here: the one class that we use, as far as we do.

declare module 'ml-regression' {
  /** Cost O(n²) in time and memory. */
  export class TheilSenRegression {
    constructor(x: readonly number[], y: readonly number[]);
    readonly slope: number;
    readonly intercept: number;
  }
}
