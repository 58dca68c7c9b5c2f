import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { isExpression } from "./definition-schema.ts";
import { isDistributed, type Machine, type MapState, type Outcome, type State, type TaskState } from "./definition.ts";
import { findIntegration } from "./integrations/find-integration.ts";
import { argumentProblems } from "./integrations/integration.ts";
import { activityName } from "./run-activity.ts";
import { levels, type Level } from "./walk.ts";

/** What AWS, or this interpreter, would refuse in a machine whose fields are all known. */
export function checkStates(machine: Machine): string[] {
  const all = levels(machine);
  const problems = all.flatMap((level) => [
    ...checkWays(level),
    ...Object.entries(level.sequence.States).flatMap(([name, state]) =>
      [...checkLanguage(machine, state), ...checkState(level, state)].map((problem) => `State "${name}" ${problem}`),
    ),
  ]);
  const names = all.flatMap(({ sequence }) => Object.keys(sequence.States));
  for (const name of new Set(names))
    if (names.indexOf(name) !== names.lastIndexOf(name)) problems.push(`State "${name}" is there twice`);
  return problems;
}

function checkWays({ sequence: { StartAt, States }, owner }: Level): string[] {
  const problems: string[] = [];
  const reached = new Set<string>();
  const reach = (name: string, from: string): void => {
    const state = States[name];
    if (state === undefined) problems.push(`${from} leads to "${name}", which is not there`);
    if (state === undefined || reached.has(name)) return;
    reached.add(name);
    for (const next of nextOf(state)) reach(next, `State "${name}"`);
  };
  reach(StartAt, `StartAt of ${owner === undefined ? "the machine" : `state "${owner}"`}`);
  for (const name of Object.keys(States)) if (!reached.has(name)) problems.push(`State "${name}" cannot be reached`);
  return problems;
}

function nextOf(state: State): string[] {
  const nexts =
    state.Type === "Choice"
      ? [...state.Choices.map(({ Next }) => Next), state.Default]
      : ["Next" in state ? state.Next : undefined, ...catchersOf(state).map(({ Next }) => Next)];
  return nexts.filter((next) => next !== undefined);
}

function catchersOf(state: State) {
  return "Catch" in state ? (state.Catch ?? []) : [];
}

// A state that names no language has the machine's, wherever it stands.
function checkLanguage(machine: Machine, state: State): string[] {
  return (state.QueryLanguage ?? machine.QueryLanguage) === "JSONata" ? [] : ["is not in JSONata"];
}

function checkState(level: Level, state: State): string[] {
  const problems: string[] = [];
  const unless = (holds: boolean, problem: string): void => void (holds || problems.push(problem));
  if (state.Type !== "Choice" && state.Type !== "Succeed" && state.Type !== "Fail")
    unless((state.Next === undefined) !== (state.End === undefined), 'needs either "Next" or "End"');
  if (state.Type === "Wait")
    unless((state.Seconds === undefined) !== (state.Timestamp === undefined), 'needs either "Seconds" or "Timestamp"');
  for (const list of [catchersOf(state), "Retry" in state ? (state.Retry ?? []) : []])
    for (const [index, { ErrorEquals }] of list.entries())
      unless(
        !ErrorEquals.includes("States.ALL") || (ErrorEquals.length === 1 && index === list.length - 1),
        'has "States.ALL" not alone and last',
      );
  if (state.Type === "Task") problems.push(...checkTask(level, state));
  if (state.Type === "Map") problems.push(...checkMap(state));
  for (const name of assignedIn(state)) {
    unless(
      /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name) && name.length <= 80,
      `assigns "${name}", which is no name`,
    );
    unless(name !== "states", 'assigns "states", which is taken');
    unless(
      !level.around.some(({ sequence }) => Object.values(sequence.States).some((other) => assignedIn(other).has(name))),
      `assigns "${name}", which is a variable of the states around it`,
    );
  }
  return problems;
}

function assignedIn(state: State): ReadonlySet<string> {
  const outcomes: readonly Outcome[] = [
    state as Outcome,
    ...catchersOf(state),
    ...(state.Type === "Choice" ? state.Choices : []),
  ];
  return new Set(outcomes.flatMap(({ Assign = {} }) => Object.keys(Assign)));
}

function checkTask(level: Level, { Resource, Arguments, TimeoutSeconds, HeartbeatSeconds }: TaskState): string[] {
  const problems: string[] = [];
  const limits = [HeartbeatSeconds, TimeoutSeconds];
  if (limits.every((limit) => typeof limit === "number") && Number(HeartbeatSeconds) >= Number(TimeoutSeconds))
    problems.push('has a "HeartbeatSeconds" that is not smaller than its "TimeoutSeconds"');
  const integration = findIntegration(Resource);
  if (integration === undefined && activityName(Resource) === undefined)
    return [...problems, `has a "Resource" that is not known here: ${Resource}`];
  if (level.express && integration?.inExpress !== true)
    problems.push(`calls ${Resource}, which a child that is EXPRESS cannot`);
  if (integration === undefined || (typeof Arguments === "string" && isExpression(Arguments))) return problems;
  if (isJsonObject(Arguments ?? {})) problems.push(...argumentProblems(integration, (Arguments ?? {}) as JsonObject));
  else problems.push('has "Arguments" that are neither an object nor JSONata');
  return problems;
}

const onlyDistributed = [
  "ItemReader",
  "ItemBatcher",
  "ResultWriter",
  "ToleratedFailurePercentage",
  "ToleratedFailureCount",
  "Label",
] as const;

function checkMap(state: MapState): string[] {
  const { ItemReader: reader, ItemBatcher: batcher, ItemProcessor, Items } = state;
  const problems: string[] = [];
  if (reader !== undefined && Items !== undefined) problems.push('has both "Items" and "ItemReader"');
  if (
    reader !== undefined &&
    (reader.ReaderConfig.InputType === "CSV") !== (reader.ReaderConfig.CSVHeaderLocation !== undefined)
  )
    problems.push('needs "CSVHeaderLocation" for CSV, and for nothing else');
  if (batcher !== undefined && batcher.MaxItemsPerBatch === undefined && batcher.MaxInputBytesPerBatch === undefined)
    problems.push('has an "ItemBatcher" without a limit');
  const type = ItemProcessor.ProcessorConfig?.ExecutionType;
  if (isDistributed(state)) return type === undefined ? [...problems, 'needs an "ExecutionType"'] : problems;
  if (type !== undefined) problems.push('has an "ExecutionType", but is not DISTRIBUTED');
  for (const field of onlyDistributed)
    if (state[field] !== undefined) problems.push(`has "${field}", but is not DISTRIBUTED`);
  return problems;
}
