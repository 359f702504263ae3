// HybridTrading on AKS: a subnet and a node pool for each network class of the port map, PostgreSQL, Key Vault, Log Analytics, a registry.
targetScope = 'subscription'

@description('Name of the azd environment; part of every name.')
@minLength(1)
@maxLength(20)
param environmentName string

@description('Region with three availability zones.')
param location string

@description('Who deploys: may write secrets and use the cluster.')
param principalId string

@description('Of the database; azd makes it once and reads it from the vault afterwards.')
@secure()
param postgresPassword string

@description('Addresses that may reach the Kubernetes API, as CIDR; empty for all (Entra and Azure RBAC guard it in any case).')
param apiServerCidrs array = []

@description('Size of the nodes that carry silos.')
param nodeSize string = 'Standard_D4s_v5'

@description('SKU of the database.')
param postgresSku string = 'Standard_D4ds_v5'

@description('Backups in the paired region as well, where there is one; cannot be changed later.')
param geoRedundantBackup bool = true

// Made from the port map by `ports export --format infrastructure`; no port is written here.
var ports = loadJsonContent('ports.json')
var suffix = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { location: location, tags: tags, name: 'log-${suffix}' }
}

module network 'modules/network.bicep' = {
  scope: group
  params: { location: location, tags: tags, name: 'vnet-${suffix}', networks: ports.networks, postgresPort: ports.postgres }
}

module registry 'modules/registry.bicep' = {
  scope: group
  params: { location: location, tags: tags, name: 'cr${suffix}' }
}

// What processes read, and apart from it what only issues their certificates.
module vault 'modules/vault.bicep' = {
  scope: group
  params: { location: location, tags: tags, name: 'kv-${suffix}', officer: principalId, workspace: monitoring.outputs.workspace }
}

module authorityVault 'modules/vault.bicep' = {
  scope: group
  params: { location: location, tags: tags, name: 'kvca-${suffix}', officer: principalId, workspace: monitoring.outputs.workspace }
}

module cluster 'modules/cluster.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'aks-${suffix}'
    subnets: network.outputs.subnets
    workspace: monitoring.outputs.workspace
    registryName: registry.outputs.name
    vaultName: vault.outputs.name
    admin: principalId
    apiServerCidrs: apiServerCidrs
    nodeSize: nodeSize
  }
}

module postgres 'modules/postgres.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'pg-${suffix}'
    sku: postgresSku
    subnet: network.outputs.databaseSubnet
    vnet: network.outputs.vnet
    password: postgresPassword
    vaultName: vault.outputs.name
    workspace: monitoring.outputs.workspace
    geoRedundantBackup: geoRedundantBackup
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_AKS_CLUSTER_NAME string = cluster.outputs.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer
output WORKLOAD_CLIENT_ID string = cluster.outputs.workloadClientId
output VAULT_NAME string = vault.outputs.name
output AUTHORITY_VAULT_NAME string = authorityVault.outputs.name
output POSTGRES_HOST string = postgres.outputs.host
output DATABASE_SUBNET string = network.outputs.databaseCidr
