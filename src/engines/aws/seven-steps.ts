/** What the steps name. */
export interface StepNames {
  /** Of inputs, configs and outputs. */
  readonly bucket: string;
  /** As the batch names it. */
  readonly agent: string;
  readonly agentMachineArn: string;
  readonly batchMachineArn: string;
  /** Topic that the batch notifies. */
  readonly topicArn: string;
  /** Who makes the attempts; AWS's state machines know it themselves. */
  readonly dispatch?: "activity";
  /** Options of the AWS command line, such as `--profile`; empty when none are needed. */
  readonly s3Options: string;
  readonly stepFunctionsOptions: string;
}

/** One of the original product's steps for trying the whole: a title, and commands of a shell. */
export interface Step {
  readonly title: string;
  readonly script: string;
}

/** The seven steps of the original product's documentation with names that are there, ready to paste. */
export function sevenSteps(names: StepNames): readonly Step[] {
  const { bucket, agent, agentMachineArn, batchMachineArn, topicArn, dispatch } = names;
  const s3 = withSpace(names.s3Options);
  const states = withSpace(names.stepFunctionsOptions);
  const outputs = `s3://${bucket}/outputs/broadband/`;
  const columns = ["building_number", "street", "postcode", "full_address"];
  const config = {
    agent_name: agent,
    agent_state_machine_arn: agentMachineArn,
    input_mapping: {
      column_mappings: columns.map((name) => ({
        csv_column: name,
        agent_input_field: name,
        required: name !== "full_address",
      })),
    },
    output_mapping: {
      structured_output_fields: [
        ...["success", "exchange", "cabinet", "downstream_mbps", "upstream_mbps"],
        ...["availability", "service_type", "screenshot_url", "metadata"],
      ],
      include_original: true,
      add_metadata: true,
    },
    execution_config: { max_concurrency: 2, timeout_seconds: 300, ...(dispatch === undefined ? {} : { dispatch }) },
    notification_config: {
      enabled: true,
      success_notification: true,
      failure_notification: true,
      sns_topic_arn: topicArn,
    },
  };
  const input = {
    config_s3_uri: `s3://${bucket}/configs/broadband_batch_config.json`,
    input_csv_s3_uri: `s3://${bucket}/inputs/test_addresses.csv`,
    output_s3_prefix: outputs,
  };
  return [
    {
      title: "Create the test CSV",
      script: heredoc(
        "test_addresses.csv",
        "building_number,street,postcode,full_address\n1,Church View,DN12 1RH,\n23,High Street,SW1A 1AA,23 High Street London SW1A 1AA",
      ),
    },
    { title: "Upload it to S3", script: `aws s3 cp test_addresses.csv ${input.input_csv_s3_uri}${s3}` },
    {
      title: "Create the configuration",
      script: heredoc("broadband_batch_config.json", JSON.stringify(config, undefined, 2)),
    },
    { title: "Upload it", script: `aws s3 cp broadband_batch_config.json ${input.config_s3_uri}${s3}` },
    {
      title: "Execute the batch",
      script: `execution=$(aws stepfunctions start-execution${states} \\
  --state-machine-arn "${batchMachineArn}" \\
  --input '${JSON.stringify(input)}' \\
  --query executionArn --output text)`,
    },
    {
      title: "Monitor the execution, until its status is no longer RUNNING",
      script: `aws stepfunctions describe-execution${states} --execution-arn "$execution"`,
    },
    {
      title: "Download the result",
      script: `result=$(aws s3 ls ${outputs}${s3} | awk 'END { print $4 }')
aws s3 cp "${outputs}$result" results.csv${s3}`,
    },
  ];
}

function withSpace(options: string): string {
  return options === "" ? "" : ` ${options}`;
}

function heredoc(file: string, text: string): string {
  return `cat > ${file} << 'EOF'\n${text}\nEOF`;
}
