import type { JsonObject, JsonValue } from "../../../src/core/json.ts";

/** A test that AWS's answers were recorded in, and what it was made of. */
export interface RecordedCase {
  /** `test_output` */
  readonly file: string;
  readonly test: string;
  /** `scenarios/map_state` */
  readonly template: string;
  /** What the test filled in or changed in its template. */
  readonly edit?: (states: Record<string, Record<string, JsonValue>>) => void;
  /** Fields of the recorded input whose values were lost. */
  readonly input?: JsonObject;
  /** What its function does: give back what it gets, or fail, or take too long. @default "identity" */
  readonly lambda?: "identity" | "raise" | "hang";
  /** The object that its ItemReader reads. */
  readonly object?: string;
  /** What the worker does with the task, or that the activity has been deleted. */
  readonly worker?: "succeed" | "fail" | "hang" | "none";
  readonly workerName?: string;
  /** Time that passes while its function or worker does not answer. */
  readonly passSeconds?: number;
  /** The failure that was recorded is one of JSONPath alone. */
  readonly onlyJsonPath?: true;
}

const scenarios = "test_base_scenarios";

type Extra = Omit<RecordedCase, "file" | "test" | "template">;

function scenario(test: string, template: string, extra: Extra = {}): RecordedCase {
  return { file: scenarios, test: `TestBaseScenarios::test_${test}`, template: `scenarios/${template}`, ...extra };
}

function same(names: string, extra: Extra = {}): RecordedCase[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => scenario(name, name, extra));
}

function each(test: string, template: string, parameters: string, extra: Extra = {}): RecordedCase[] {
  return parameters.split(" ").map((parameter) => scenario(`${test}[${parameter}]`, template, extra));
}

const activity = (name: string, template: string, extra: Extra): RecordedCase => ({
  file: "test_activities",
  test: `TestActivities::test_activity_task${name}`,
  template: `activities/base_activity_task${template}`,
  workerName: "BASE_ID_ACTIVITY_CONSUMER",
  ...extra,
  edit: (states) =>
    void (states["ActivityTask"]!["Resource"] = "arn:aws:states:eu-west-1:111111111111:activity:lookup"),
});

const assign = (test: string, template: string, extra: Extra = {}): RecordedCase => ({
  file: "test_assign_base",
  test: `TestAssignBase::test_${test}`,
  template: `assign/${template}`,
  ...extra,
});

const output = (test: string, template: string, extra: Extra = {}): RecordedCase => ({
  file: "test_output",
  test: `TestArgumentsBase::test_${test}`,
  template: `outputdecl/${template}`,
  ...extra,
});

const anyOutput = (parameter: string, value: JsonValue): RecordedCase =>
  output(`base_output_any_non_dict[${parameter}]`, "base_output_any", {
    edit: (states) => void (states["State0"]!["Output"] = value),
  });

const expressions = (test: string, template: string, edit: RecordedCase["edit"], extra: Extra = {}): RecordedCase => ({
  file: "test_base_evaluate_expressions",
  test: `TestBaseEvaluateJsonata::test_${test}`,
  template: `evaluatejsonata/${template}`,
  ...extra,
  ...(edit === undefined ? {} : { edit }),
});

const literalFunction = "arn:<partition>:lambda:<region>:111111111111:function:<lambda-function-name>";

const taskField = (test: string, field: string, value: string): RecordedCase =>
  expressions(test, "base_task", ({ Start }) => {
    Start![field] = value;
    (Start!["Arguments"] as Record<string, JsonValue>)["FunctionName"] = literalFunction;
  });

const mapField = (test: string, field: string, value: string): RecordedCase =>
  expressions(test, "base_map", ({ Start }) => void (Start![field] = value));

const items = (parameter: string, test: string, expression: string): RecordedCase =>
  scenario(`map_state_items_${test}[${parameter}]`, "map_state_items_literal", {
    edit: ({ MapIterateState }) => void (MapIterateState!["Items"] = expression),
  });

const variable = (parameter: string, value: JsonValue): RecordedCase[] =>
  ["variable_sampling", "eval_jsonata_variable_sampling_fail"].map((test) =>
    scenario(`map_state_items_${test}[${parameter}]`, "map_state_items_variable", {
      edit: ({ Start }) => void (Start!["Assign"] = { ItemsVar: value }),
    }),
  );

const timestamp = (parameter: string, value: string): RecordedCase[] => [
  scenario(`wait_timestamp_jsonata${parameter}`, "wait_timestamp_jsonata", { input: { TimestampValue: value } }),
  scenario(`wait_timestamp_path${parameter}`, "wait_timestamp_path", {
    input: { TimestampValue: value },
    ...(/^\d{4}-12-05T21:\d\d:\d\d(\.\d+)?Z$/.test(value) ? {} : { onlyJsonPath: true }),
  }),
];

const statements = [
  { verdict: "true", statement_date: "6/11/2008", statement_source: "speech" },
  { verdict: "false", statement_date: "6/7/2022", statement_source: "television" },
  { verdict: "mostly-true", statement_date: "5/18/2016", statement_source: "news" },
];
const json = JSON.stringify(statements);
const fourRows = "Col1,Col2\nValue1,Value2\nValue3,Value4\nValue5,Value6\nValue7,Value8\n";
const oddRows = "Value4,Value5,Value6\n,,,\ntrue,1,'HelloWorld'\nNull,None,\n   ,\n";

const raises = { lambda: "raise" } as const;
const times = { lambda: "hang", passSeconds: 5 } as const;
const jsonPath = { onlyJsonPath: true } as const;

/** Every recording of a history that has its machine among the templates. */
export const recordedCases: readonly RecordedCase[] = [
  activity("", "", { worker: "succeed" }),
  activity("_failure", "", { worker: "fail" }),
  activity("_with_heartbeat", "_heartbeat", { worker: "succeed" }),
  activity("_on_deleted", "", { worker: "none" }),
  activity("_no_worker_name", "", { worker: "succeed", workerName: "" }),
  activity("_start_timeout", "_timeout", { worker: "hang", passSeconds: 5 }),

  ...["BASE_LAMBDA_EMPTY", "BASE_LAMBDA_LITERALS", "BASE_LAMBDA_EXPRESSION", "BASE_LAMBDA_EMPTY_GLOBAL_QL_JSONATA"].map(
    (name): RecordedCase => ({
      file: "test_arguments",
      test: `TestArgumentsBase::test_base_cases[${name}]`,
      template: `arguments/${name.toLowerCase().replace("expression", "expressions")}`,
    }),
  ),

  ...["BASE_EMPTY", "BASE_CONSTANT_LITERALS", "BASE_PATHS", "BASE_VAR", "BASE_SCOPE_MAP"].map((name) =>
    assign(`base_cases[${name}]`, name.toLowerCase()),
  ),
  assign("base_parallel_cases[BASE_SCOPE_PARALLEL]", "base_scope_parallel"),
  assign("assign_in_choice[CONDITION_TRUE]", "choice_condition_jsonata"),
  assign("assign_in_choice[CONDITION_FALSE]", "choice_condition_jsonata"),

  ...["BASE_EMPTY", "BASE_LITERALS", "BASE_EXPR", "BASE_DIRECT_EXPR"].map((name) =>
    output(`base_cases[${name}]`, name.toLowerCase()),
  ),
  output("base_lambda[BASE_LAMBDA]", "base_lambda"),
  output("base_task_lambda[BASE_TASK_LAMBDA]", "base_task_lambda"),
  output("output_in_choice[CONDITION_TRUE]", "choice_condition_jsonata"),
  output("output_in_choice[CONDITION_FALSE]", "choice_condition_jsonata"),
  anyOutput("NULL", null),
  anyOutput("INT", 0),
  anyOutput("FLOAT", 0.1),
  anyOutput("BOOL", true),
  anyOutput("STR_LIT", "string literal"),
  anyOutput("JSONATA_EXPR", "{% $states.input %}"),
  anyOutput("LIST_EMPY", []),
  anyOutput("LIST_RICH", [
    ...[null, 0, 0.1, true, "string", [], "$nosuchvar", "$.no.such.path", "{% $states.input %}"],
    { key: "{% true %}" },
  ]),

  taskField("base_task[TIMEOUT_SECONDS]", "TimeoutSeconds", "{% 1 %}"),
  taskField("base_task[HEARTBEAT_SECONDS]", "HeartbeatSeconds", "{% 1 %}"),
  taskField("base_task_from_input[HEARTBEAT_SECONDS]", "HeartbeatSeconds", "{% $states.input.input_value %}"),
  mapField("base_map[ITEMS]", "Items", "{% [1, 2, 3] %}"),
  mapField("base_map[ITEMS_DOUBLE_QUOTES]", "Items", "{% [1, 2, 3] %}"),
  mapField("base_map[MAX_CONCURRENCY]", "MaxConcurrency", "{% 1 %}"),
  mapField("base_map[TOLERATED_FAILURE_PERCENTAGE]", "ToleratedFailurePercentage", "{% 100 %}"),
  mapField("base_map[TOLERATED_FAILURE_COUNT]", "ToleratedFailureCount", "{% 1 %}"),
  ...["Items", "MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount"].map((field) =>
    mapField(
      `base_map_from_input[${field.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()}]`,
      field,
      "{% $states.input.input_value %}",
    ),
  ),
  expressions("merge_with_dynamic_args", "base_pass", ({ Start }) => {
    Start!["Output"] = "{% $merge([$states.input.part1, $states.input.part2]) %}";
  }),

  ...same(`
    parallel_state parallel_state_order parallel_state_nested
    map_state map_state_break_condition map_state_catch map_state_retry map_state_item_selector map_state_nested
    map_state_legacy map_state_break_condition_legacy map_state_catch_legacy map_state_retry_legacy map_state_parameters_legacy
    map_state_retry_multiple_retriers map_state_no_processor_config map_state_item_selector_parameters
    map_state_legacy_config_inline map_state_legacy_config_inline_parameters map_state_legacy_config_inline_item_selector
    map_state_legacy_config_distributed map_state_legacy_config_distributed_parameters
    map_state_legacy_config_distributed_item_selector map_state_config_distributed_parameters
    map_state_config_distributed_item_selector map_state_config_distributed_item_selector_parameters
    map_state_config_distributed_items_path_from_previous map_state_config_distributed_reentrant
    map_state_config_distributed_reentrant_lambda map_state_legacy_reentrant map_state_config_inline_parameters
    map_state_nested_config_distributed map_state_catch_empty_fail
    wait_seconds_jsonata fail_error_jsonata fail_cause_jsonata
    map_item_reader_base_list_objects_v2 map_item_reader_base_csv_headers_decl
    lambda_empty_retry catch_states_runtime catch_empty
  `),
  ...same(
    `lambda_invoke_with_retry_base lambda_invoke_with_retry_extended_input lambda_service_invoke_with_retry_extended_input
     retry_interval_features retry_interval_features_jitter_none retry_interval_features_max_attempts_zero`,
    raises,
  ),
  // The test took the distributed machine, whatever its name says.
  scenario("map_state_config_inline_item_selector", "map_state_config_distributed_item_selector"),
  scenario("parallel_state[PARALLEL_STATE]", "parallel_state"),
  scenario("parallel_state[PARALLEL_STATE_PARAMETERS]", "parallel_state_parameters"),
  scenario("map_state_item_selector[MAP_STATE_ITEM_SELECTOR]", "map_state_item_selector"),
  scenario("map_state_item_selector[MAP_STATE_ITEM_SELECTOR_JSONATA]", "map_state_item_selector_jsonata"),
  scenario("map_state_item_selector_singleton", "map_state_item_selector_singletons"),
  scenario("map_state_parameters_singleton_legacy", "map_state_parameters_singletons_legacy"),
  scenario(
    "map_state_nested_config_distributed_no_max_max_concurrency",
    "map_state_nested_config_distributed_no_max_concurrency",
    {
      edit: ({ OuterMap }) => {
        const text = JSON.stringify(OuterMap!["ItemProcessor"]).replaceAll("__tbd__", "job");
        OuterMap!["ItemProcessor"] = JSON.parse(text) as JsonValue;
      },
    },
  ),
  scenario("choice_condition_constant_jsonata", "choice_state_condition_constant_jsonata"),
  ...["CHOICE_STATE_AWS_SCENARIO", "CHOICE_STATE_AWS_SCENARIO_JSONATA"].map((name) =>
    scenario(`choice_aws_docs_scenario[${name}]`, name.toLowerCase()),
  ),
  scenario("choice_singleton_composite[CHOICE_STATE_SINGLETON_COMPOSITE]", "choice_state_singleton_composite"),
  scenario(
    "choice_singleton_composite[CHOICE_STATE_SINGLETON_COMPOSITE_JSONATA]",
    "choice_state_singleton_composite_jsonata",
  ),
  scenario(
    "choice_singleton_composite[CHOICE_STATE_SINGLETON_COMPOSITE_LITERAL_JSONATA]",
    "choice_state_singleton_composite_literal_string_jsonata",
  ),
  ...["positive", "negative"].flatMap((way) =>
    ["", "_JSONATA"].map((language) =>
      scenario(
        `choice_unsorted_parameters_${way}[CHOICE_STATE_UNSORTED_CHOICE_PARAMETERS${language}]`,
        `choice_state_unsorted_choice_parameters${language.toLowerCase()}`,
      ),
    ),
  ),
  items("number", "eval_jsonata_fail", "{% 1 %}"),
  items("string", "eval_jsonata_fail", "{% 'string' %}"),
  items("boolean", "eval_jsonata_fail", "{% true %}"),
  items("object", "eval_jsonata_fail", "{% {'foo': 'bar'} %}"),
  items("null", "eval_jsonata_fail", "{% null %}"),
  items("function", "eval_jsonata_fail", "{% $fn := function($x){$x} %}"),
  items("empty", "eval_jsonata", "{% [] %}"),
  items("singleton", "eval_jsonata", "{% [0] %}"),
  items("mixed", "eval_jsonata", "{% [1, 'two', 3] %}"),
  ...variable("number", 1),
  ...variable("string", "string"),
  ...variable("boolean", true),
  ...variable("object", { foo: "bar" }),
  ...variable("null", null),
  ...each("map_state_items_input_types", "map_state_items", "number string boolean object null"),
  ...each("map_state_items_input_array", "map_state_items", "empty singleton mixed"),

  ...timestamp("", "2016-12-05T21:29:29Z"),
  ...timestamp("[SECONDS]", "2016-12-05T21:29:29Z"),
  ...timestamp("[NANOSECONDS]", "2016-12-05T21:29:29.000000000Z"),
  ...timestamp("[NO_T]", "2016-12-05 21:29:29Z"),
  ...timestamp("[NO_Z]", "2016-12-05T21:29:29"),
  ...timestamp("[INVALID_DATE]", "2016-13-05T21:29:29Z"),
  ...timestamp("[INVALID_TIME]", "2016-12-05T25:29:29Z"),
  ...timestamp("[INVALID_ISO]", "05-12-2016T21:29:29Z"),
  scenario("wait_timestamp", "wait_timestamp"),
  ...each("wait_timestamp", "wait_timestamp", "SECONDS NANOSECONDS"),

  ...each(
    "escape_sequence_parsing",
    "escape_sequences_jsonata_comparison_assign",
    "ESCAPE_SEQUENCES_JSONATA_COMPARISON_ASSIGN",
  ),
  ...each(
    "escape_sequence_parsing",
    "escape_sequences_jsonata_comparison_output",
    "ESCAPE_SEQUENCES_JSONATA_COMPARISON_OUTPUT",
  ),
  ...each("escape_sequence_parsing", "escape_sequences_string_literals", "ESCAPE_SEQUENCES_STRING_LITERALS"),
  ...each("escape_sequence_parsing", "escape_sequences_jsonpath", "ESCAPE_SEQUENCES_JSONPATH"),

  ...each("max_concurrency_path", "max_concurrency_path", "0 1"),
  ...each("max_concurrency_path", "max_concurrency_path", "max_concurrency_value0 NoNumber", jsonPath),
  ...["count 0 1", "percentage 0 1 1.1 100"].flatMap((line) => {
    const [what = "", ...values] = line.split(" ");
    const name = `map_state_tolerated_failure_${what}_path`;
    return [
      ...each(name, name, values.join(" ")),
      ...each(name, name, `tolerated_failure_${what}_value0 NoNumber -1`, jsonPath),
      ...(what === "percentage" ? each(name, name, "-1.1 100.1", jsonPath) : []),
    ];
  }),
  ...each("map_state_tolerated_failure_values", "map_state_tolerated_failure_count", "count_literal"),
  ...each("map_state_tolerated_failure_values", "map_state_tolerated_failure_percentage", "percentage_literal"),

  ...same("map_item_reader_base_json", { object: json }),
  ...same("map_item_reader_base_json_max_items", {
    object: JSON.stringify([statements[0], statements[0], statements[0]]),
  }),
  ...same("map_item_reader_base_json_max_items_jsonata", { object: json }),
  scenario("map_item_batching_base_json_max_per_batch_jsonata", "map_item_batcher_base_max_per_batch_jsonata", {
    object: json,
  }),
  ...same("map_item_reader_base_csv_headers_first_line", {
    object: `Col1,Col2,Col3\nValue1,Value2,Value3\n${oddRows}`,
  }),
  scenario("map_item_reader_csv_headers_first_row_typed_headers", "map_item_reader_base_csv_headers_first_line", {
    object: `0,True,{}\n${oddRows}`,
  }),
  scenario("map_item_reader_csv_first_row_extra_fields", "map_item_reader_base_csv_headers_first_line", {
    object: `H1,\n${oddRows}`,
  }),
  scenario("map_item_reader_json_no_json_list_object", "map_item_reader_base_json", {
    object: JSON.stringify({ Hello: "world" }),
  }),
  ...[0, 2, 100_000_000].map((most) =>
    scenario(`map_item_reader_csv_max_items[${most}]`, "map_item_reader_base_csv_max_items", {
      object: fourRows,
      edit: ({ MapState }) => {
        const { ReaderConfig } = MapState!["ItemReader"] as Record<string, Record<string, JsonValue>>;
        ReaderConfig!["MaxItems"] = most;
      },
    }),
  ),
  ...each("map_item_reader_csv_max_items_paths", "map_item_reader_base_csv_max_items_path", "1.5", jsonPath),
  ...each(
    "map_item_reader_csv_max_items_paths",
    "map_item_reader_base_csv_max_items_path",
    "-1 0 2 100000000 100000001",
    { object: fourRows },
  ),
  ...each(
    "map_item_reader_base_json_with_items_path",
    "map_item_reader_base_json_with_items_path",
    "VALID_ITEMS_PATH_FROM_INPUT VALID_ITEMS_PATH_FROM_ITEM_READER INVALID_ITEMS_PATH VALID_ITEMS_PATH_FROM_PREVIOUS",
    jsonPath,
  ),
  ...["duplicate_headers", "extra_fields"].map((name) =>
    scenario(`map_item_reader_csv_headers_decl_${name}`, "map_item_reader_base_csv_headers_decl"),
  ),

  ...["errorpath", "string_expr_jsonpath", "string_expr_contextpath"].map((name) =>
    scenario(`invalid_jsonpath[INVALID_JSONPATH_IN_${name.toUpperCase()}]`, `invalid_jsonpath_in_${name}`, jsonPath),
  ),
  ...["causepath", "inputpath", "outputpath", "timeoutsecondspath", "heartbeatsecondspath"].map((name) =>
    scenario(`invalid_jsonpath[ST.INVALID_JSONPATH_IN_${name.toUpperCase()}]`, `invalid_jsonpath_in_${name}`, jsonPath),
  ),

  ...["heartbeat_timeout", "heartbeat_path_timeout", "heartbeat_no_timeout"].map((name): RecordedCase => ({
    file: "test_heartbeats",
    test: `TestHeartbeats::test_${name}`,
    template: `timeouts/service_sqs_send_and_wait_for_task_token_with_heartbeat${name.includes("path") ? "_path" : ""}`,
  })),
  ...["start_execution", "start_execution_input_json"].map((name): RecordedCase => ({
    file: "test_sfn_task_service",
    test: `TestTaskServiceSfn::test_${name}`,
    template: "services/sfn_start_execution",
  })),
  ...[
    ["fixed_timeout_lambda", "lambda_wait_with_timeout_seconds"],
    ["fixed_timeout_service_lambda", "service_lambda_wait_with_timeout_seconds"],
    ["service_lambda_map_timeout", "service_lambda_map_function_invoke_with_timeout_seconds"],
    ["fixed_timeout_service_lambda_with_path", "service_lambda_wait_with_timeout_seconds_path"],
  ].map(([name, template]): RecordedCase => ({
    file: "test_timeouts",
    test: `TestTimeouts::test_${name}`,
    template: `timeouts/${template}`,
    ...times,
  })),
];

/** Recordings of histories that cannot be run anew, and why. */
export const leftOut: ReadonlyMap<string, string> = new Map([
  ...["BASE", "BASE_SINGLE_QUOTE", "BASE_FALSE", "BASE_SINGLE_QUOTE_FALSE"].map(
    (name) =>
      [
        `TestBaseEvaluateJsonata::test_base_jsonata_regular_expressions[${name}]`,
        "its expression was not kept",
      ] as const,
  ),
  ["TestBaseScenarios::test_max_concurrency_path_negative", "it has the first event only"],
]);
