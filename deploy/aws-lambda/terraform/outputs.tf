output "url" {
  description = "Where the function answers, without a slash at its end."
  value       = trimsuffix(aws_lambda_function_url.mcp.function_url, "/")
}

output "mcp_url" {
  description = "What MCP clients are given."
  value       = "${trimsuffix(aws_lambda_function_url.mcp.function_url, "/")}/mcp"
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.mcp.function_name
}

output "role_arn" {
  description = "Role of the function."
  value       = local.role_arn
}

output "log_group_name" {
  description = "Where logs and audit lines are."
  value       = aws_cloudwatch_log_group.function.name
}

output "parameter_names" {
  description = "The secrets that need a value, by their names in secrets."
  value       = { for name, parameter in aws_ssm_parameter.secret : name => parameter.name }
}
