/** How a state fails, as `Retry`, `Catch` and the history see it. */
export class StateFailure extends Error {
  override readonly name = "StateFailure";
  /** Error name; a Fail state may have none. */
  readonly error: string | undefined;
  readonly explanation: string | undefined;
  /** Another name that `ErrorEquals` may know it by. */
  readonly alias: string | undefined;

  constructor(error: string | undefined, explanation?: string, alias?: string) {
    super(`${error ?? "no error name"}: ${explanation ?? "no cause"}`);
    this.error = error;
    this.explanation = explanation;
    this.alias = alias;
  }
}

/** What a catcher and the end of an execution say of a failure. */
export interface ErrorOutput {
  readonly Error?: string;
  readonly Cause?: string;
}

/** A failure as `$states.errorOutput` has it. */
export function errorOutput({ error, explanation }: StateFailure): ErrorOutput {
  return {
    ...(error === undefined ? {} : { Error: error }),
    ...(explanation === undefined ? {} : { Cause: explanation }),
  };
}

/** A failure as the details of history events have it. */
export function failureDetails({ error, explanation }: StateFailure): {
  readonly error?: string;
  readonly cause?: string;
} {
  return {
    ...(error === undefined ? {} : { error }),
    ...(explanation === undefined ? {} : { cause: explanation }),
  };
}

/** A definition asks at run time for what this interpreter does not have: the test is wrong, not the state. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}
