data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

locals {
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
}

resource "aws_iam_role_policy" "function" {
  name   = "own-logs-and-parameters"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}
