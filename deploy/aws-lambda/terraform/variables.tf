variable "name" {
  description = "Name of the function, and first part of the names of everything around it."
  type        = string
  default     = "managed-agent-control"

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{1,48}$", var.name))
    error_message = "name must have 1 to 48 letters, digits and hyphens."
  }
}

variable "zip_file" {
  description = "Path of a zip file with lambda.js at its root. Leave it out when image_uri is given."
  type        = string
  default     = null
}

variable "image_uri" {
  description = "Image in ECR, by digest or tag (deploy/aws-lambda/Dockerfile builds it). Leave it out when zip_file is given."
  type        = string
  default     = null

  validation {
    condition     = (var.image_uri == null) != (var.zip_file == null)
    error_message = "Give either zip_file or image_uri."
  }

  validation {
    condition     = var.image_uri == null || can(regex("^[0-9]{12}\\.dkr\\.ecr\\..+[:@].+$", var.image_uri))
    error_message = "image_uri must be an image in ECR with a tag or digest; Lambda takes no other registry."
  }
}

variable "runtime" {
  description = "Managed Node runtime of the zip file. Provider versions before 6.19 do not know nodejs24.x; use a newer one, or nodejs22.x."
  type        = string
  default     = "nodejs24.x"

  validation {
    condition     = can(regex("^nodejs(2[2-9]|[3-9][0-9])\\.x$", var.runtime))
    error_message = "runtime must be nodejs22.x or newer."
  }
}

variable "role_arn" {
  description = "Role of your own for the function, for accounts in which others make roles. It has to let the function write to its log group and read its parameters (iam.tf has the policy). Without one the module makes a role."
  type        = string
  default     = null

  validation {
    condition     = var.role_arn == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", var.role_arn))
    error_message = "role_arn must be the ARN of a role."
  }
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the role which the module makes, for accounts that demand one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a policy."
  }

  validation {
    condition     = var.permissions_boundary_arn == null || var.role_arn == null
    error_message = "permissions_boundary_arn is for the role that the module makes; leave it out with role_arn."
  }
}

variable "vpc" {
  description = "Subnets and security groups, for a Redis, a proxy or an identity provider that only a VPC reaches. The subnets need a way to the Anthropic API and to SSM (a NAT gateway; an interface endpoint for SSM)."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
    ipv6               = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.vpc == null || try(length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0, false)
    error_message = "vpc must have at least one subnet and one security group."
  }
}

variable "tracing" {
  description = "Record traces of the function with AWS X-Ray. The server's own traces go where settings say (OTEL_EXPORTER_OTLP_ENDPOINT)."
  type        = bool
  default     = false
}

variable "architecture" {
  description = "arm64 costs less than x86_64; the zip file runs on both, an image on the one it was built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "memory_size" {
  description = "Memory in MB. CPU grows with it, and so does the speed of a cold start: 1769 MB is one whole CPU."
  type        = number
  default     = 1024

  validation {
    condition     = var.memory_size >= 256 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size must be a whole number from 256 to 10240."
  }
}

variable "timeout" {
  description = "Longest request in seconds. session_wait answers two seconds before it is over, with a cursor to go on from."
  type        = number
  default     = 60

  validation {
    condition     = var.timeout >= 10 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout must be a whole number of seconds from 10 to 900."
  }
}

variable "reserved_concurrency" {
  description = "How many requests run at once at most, which also bounds what a flood of requests can cost. Each waiting session_wait takes one. -1 sets no limit, for accounts whose own limit leaves nothing to reserve."
  type        = number
  default     = 50

  validation {
    condition     = var.reserved_concurrency == -1 || var.reserved_concurrency >= 1
    error_message = "reserved_concurrency must be at least 1, or -1 for no limit."
  }
}

variable "ssm_param_prefix" {
  description = "Path below which every parameter becomes a setting: <prefix>/anthropic-api-key is ANTHROPIC_API_KEY."
  type        = string
  default     = "/managed-agent-control"

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)+$", var.ssm_param_prefix))
    error_message = "ssm_param_prefix must be a path such as /managed-agent-control/prod, without a slash at its end."
  }
}

variable "secrets" {
  description = "Secrets to create placeholders for below the prefix. The function does not start before each has its value."
  type        = set(string)
  default     = ["anthropic-api-key", "mcp-bearer-token"]

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^[a-z][a-z0-9-]*$", name))])
    error_message = "secrets must be names such as anthropic-api-key: lower case, digits and hyphens."
  }
}

variable "kms_key_arn" {
  description = "Key of your own that encrypts the secrets; without one it is the account's aws/ssm key. Name it with every value you put (--key-id)."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (not of an alias, which IAM does not take)."
  }
}

variable "settings" {
  description = "Settings without secrets, as environment variables (docs/configuration.md). They win over parameters of the same name."
  type        = map(string)
  default     = { MCP_AUTH_MODE = "bearer" }

  validation {
    condition = length(setintersection(keys(var.settings), [
      "ANTHROPIC_API_KEY",
      "MCP_APPROVAL_SECRET",
      "MCP_AUDIT_TOKEN",
      "MCP_BEARER_TOKEN",
      "MCP_OAUTH_CLIENT_SECRET",
      "MCP_REDIS_URL",
      "OTEL_EXPORTER_OTLP_HEADERS",
    ])) == 0
    error_message = "Secrets do not belong into settings, which end up in the state and in the console; name them in secrets (ANTHROPIC_API_KEY as anthropic-api-key)."
  }

  validation {
    condition     = !contains(keys(var.settings), "SSM_PARAM_PREFIX")
    error_message = "SSM_PARAM_PREFIX is set by ssm_param_prefix."
  }
}

variable "log_retention_days" {
  description = "How long logs, and the audit lines among them, are kept."
  type        = number
  default     = 90

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days,
    )
    error_message = "log_retention_days must be a number of days that CloudWatch offers, such as 30, 90 or 365."
  }
}

variable "log_kms_key_arn" {
  description = "Key of your own that encrypts the log group. Its policy has to let the service logs.<region>.amazonaws.com use it."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.log_kms_key_arn))
    error_message = "log_kms_key_arn must be the ARN of a key."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic that the alarms tell; without one they only show in CloudWatch."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null || can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:.+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic."
  }
}

variable "tags" {
  description = "Tags of everything that can have some."
  type        = map(string)
  default     = {}
}
