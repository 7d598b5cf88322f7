provider "aws" {
  region = "eu-central-1"
}

module "managed_agent_control" {
  source = "../.."

  zip_file = "${path.module}/../../../../../dist/lambda.zip"
}

output "mcp_url" {
  value = module.managed_agent_control.mcp_url
}

output "parameter_names" {
  value = module.managed_agent_control.parameter_names
}
