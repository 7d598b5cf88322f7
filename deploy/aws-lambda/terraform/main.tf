data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  is_zip = var.zip_file != null

  # Any region name works with provider 5 and 6, whose data sources call it differently.
  arn_prefix = "arn:${data.aws_partition.current.partition}"
  region     = data.aws_region.current.id
  account_id = data.aws_caller_identity.current.account_id
}

# Made here rather than by Lambda, so that the function needs no right to create it and nothing is kept for ever.
resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function" "mcp" {
  function_name = var.name
  description   = "MCP server: remote control for Claude Managed Agents"
  role          = local.role_arn

  package_type     = local.is_zip ? "Zip" : "Image"
  filename         = var.zip_file
  source_code_hash = local.is_zip ? filebase64sha256(var.zip_file) : null
  runtime          = local.is_zip ? var.runtime : null
  handler          = local.is_zip ? "lambda.handler" : null
  image_uri        = var.image_uri

  architectures                  = [var.architecture]
  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrency
  tags                           = var.tags

  environment {
    variables = merge(var.settings, {
      SSM_PARAM_PREFIX = var.ssm_param_prefix
    })
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids                  = vpc_config.value.subnet_ids
      security_group_ids          = vpc_config.value.security_group_ids
      ipv6_allowed_for_dual_stack = vpc_config.value.ipv6
    }
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  depends_on = [aws_iam_role_policy.function]
}

# NONE: MCP clients sign no requests with IAM. They bring a token that the server itself checks (MCP_AUTH_MODE), and it
# does not start without a mode. No CORS: MCP clients are no browser pages, and the documents that browsers read while
# somebody signs in allow it themselves.
#
# The provider adds the permission below by itself when it makes an open URL, and takes it well when it is there already;
# the other way round, the permission would fail. So one follows the other.
resource "aws_lambda_function_url" "mcp" {
  function_name      = aws_lambda_function.mcp.function_name
  authorization_type = "NONE"
  invoke_mode        = "BUFFERED"

  depends_on = [aws_lambda_permission.url]
}

resource "aws_lambda_permission" "url" {
  statement_id           = "FunctionURLAllowPublicAccess"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.mcp.function_name
  principal              = "*"
  function_url_auth_type = "NONE"
}

# Function URLs need this one, too, since October 2025: without it they answer 403. Invoking past the URL stays closed.
# Through the Cloud Control API, because aws_lambda_permission knows the condition only from provider 6.29 on.
resource "aws_cloudcontrolapi_resource" "invoke_via_url" {
  type_name = "AWS::Lambda::Permission"

  desired_state = jsonencode({
    FunctionName          = aws_lambda_function.mcp.arn
    Action                = "lambda:InvokeFunction"
    Principal             = "*"
    InvokedViaFunctionUrl = true
  })

  # Lambda refuses two changes of a function's policy at once, and the provider keeps only its own ones apart.
  depends_on = [aws_lambda_function_url.mcp]
}
