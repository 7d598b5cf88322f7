data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

# None where role_arn names one that somebody else keeps.
resource "aws_iam_role" "function" {
  count = var.role_arn == null ? 1 : 0

  name                 = var.name
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

moved {
  from = aws_iam_role.function
  to   = aws_iam_role.function[0]
}

moved {
  from = aws_iam_role_policy.function
  to   = aws_iam_role_policy.function[0]
}

locals {
  role_arn = var.role_arn == null ? aws_iam_role.function[0].arn : var.role_arn

  # By their names rather than from the resources, so that a plan shows the whole policy before anything is made.
  log_streams    = "${local.arn_prefix}:logs:${local.region}:${local.account_id}:log-group:${aws_cloudwatch_log_group.function.name}:*"
  parameter_path = "${local.arn_prefix}:ssm:${local.region}:${local.account_id}:parameter${var.ssm_param_prefix}"
}

data "aws_iam_policy_document" "function" {
  statement {
    sid       = "OwnLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [local.log_streams]
  }

  statement {
    sid       = "OwnParameters"
    actions   = ["ssm:GetParametersByPath"]
    resources = [local.parameter_path, "${local.parameter_path}/*"]
  }

  # The policy of the aws/ssm key lets everyone decrypt who may read the parameter; a key of your own does not.
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "OwnSecrets"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["ssm.${local.region}.amazonaws.com"]
      }

      condition {
        test     = "StringLike"
        variable = "kms:EncryptionContext:PARAMETER_ARN"
        values   = ["${local.parameter_path}/*"]
      }
    }
  }

  # Neither of the two knows single resources.
  dynamic "statement" {
    for_each = var.vpc == null ? [] : [true]

    content {
      sid = "NetworkInterfaces"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? [true] : []

    content {
      sid       = "Traces"
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role_policy" "function" {
  count = var.role_arn == null ? 1 : 0

  name   = "own-logs-and-parameters"
  role   = aws_iam_role.function[0].id
  policy = data.aws_iam_policy_document.function.json
}
