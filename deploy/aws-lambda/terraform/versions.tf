terraform {
  # 1.11 is the first version with write-only arguments, which keep the placeholders and what replaces them out of the state.
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}
