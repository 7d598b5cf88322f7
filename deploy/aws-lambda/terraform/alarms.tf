locals {
  alarms = {
    errors = {
      description = "Requests ended without an answer: the function did not start, or ran out of time. The log group tells why."
      metric      = "Errors"
      statistic   = "Sum"
      threshold   = 1
    }
    throttles = {
      description = "Requests were refused because reserved_concurrency is used up; each waiting session_wait takes one."
      metric      = "Throttles"
      statistic   = "Sum"
      threshold   = 1
    }
    duration = {
      description = "Requests take almost as long as the function may run; waits end two seconds earlier by themselves."
      metric      = "Duration"
      statistic   = "Maximum"
      threshold   = (var.timeout - 1) * 1000
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = aws_lambda_function.mcp.function_name }
  statistic           = each.value.statistic
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]
  ok_actions          = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]
  tags                = var.tags
}
