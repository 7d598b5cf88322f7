locals {
  region = "eu-central-1"
}

provider "aws" {
  region = local.region
}

data "aws_caller_identity" "current" {}

# An administrator creates every user: nobody signs up alone.
resource "aws_cognito_user_pool" "team" {
  name                = "managed-agent-control"
  username_attributes = ["email"]

  admin_create_user_config {
    allow_admin_create_user_only = true
  }
}

# Where users sign in. The name has to be unique in the region, hence the number of the account in it.
resource "aws_cognito_user_pool_domain" "team" {
  user_pool_id = aws_cognito_user_pool.team.id
  domain       = "managed-agents-${data.aws_caller_identity.current.account_id}"
}

resource "aws_cognito_user_group" "team" {
  for_each = toset(["developers", "platform"])

  user_pool_id = aws_cognito_user_pool.team.id
  name         = each.value
}

# Public, with PKCE: MCP clients keep no secret. The callbacks are those of Claude.ai, and of Claude Code with
# --callback-port 33418; Cognito compares them exactly.
resource "aws_cognito_user_pool_client" "mcp" {
  name                                 = "mcp"
  user_pool_id                         = aws_cognito_user_pool.team.id
  supported_identity_providers         = ["COGNITO"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "email", "profile"]

  callback_urls = [
    "https://claude.ai/api/mcp/auth_callback",
    "https://claude.com/api/mcp/auth_callback",
    "http://localhost:33418/callback",
  ]
}

module "managed_agent_control" {
  source = "../.."

  zip_file = "${path.module}/../../../../../dist/lambda.zip"
  secrets  = ["anthropic-api-key"]

  settings = {
    MCP_AUTH_MODE         = "cognito"
    MCP_OIDC_ISSUER       = "https://${aws_cognito_user_pool.team.endpoint}"
    MCP_OIDC_AUDIENCE     = aws_cognito_user_pool_client.mcp.id
    MCP_COGNITO_HOSTED_UI = "https://${aws_cognito_user_pool_domain.team.domain}.auth.${local.region}.amazoncognito.com"
    MCP_OAUTH_CLIENT_ID   = aws_cognito_user_pool_client.mcp.id
    MCP_ROLE_BINDINGS     = "operator=group:developers; approver=group:developers; admin=group:platform"
    MCP_SESSION_ISOLATION = "owner"
    MCP_MAX_BUDGET_USD    = "10"
  }
}

output "mcp_url" {
  value = module.managed_agent_control.mcp_url
}

output "user_pool_id" {
  value = aws_cognito_user_pool.team.id
}
