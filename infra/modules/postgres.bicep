// PostgreSQL Flexible Server in a subnet of its own: no public address, a standby in another zone, 35 days of point-in-time recovery. Physical backups are
// what the journal needs (docs/postgresql.md).
param location string
param tags object
param name string
param sku string
@description('Id of a subnet delegated to flexible servers.')
param subnet string
param vnet string
@secure()
param password string
param vaultName string
param workspace string
param geoRedundantBackup bool

var user = 'hybrid'

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: '${name}.private.postgres.database.azure.com'
  location: 'global'
  tags: tags
}

resource zoneInNetwork 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'vnet'
  location: 'global'
  properties: { registrationEnabled: false, virtualNetwork: { id: vnet } }
}

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: sku, tier: 'GeneralPurpose' }
  dependsOn: [zoneInNetwork]
  properties: {
    version: '17'
    administratorLogin: user
    administratorLoginPassword: password
    authConfig: { passwordAuth: 'Enabled', activeDirectoryAuth: 'Disabled' }
    storage: { storageSizeGB: 256, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: 35, geoRedundantBackup: geoRedundantBackup ? 'Enabled' : 'Disabled' }
    highAvailability: { mode: 'ZoneRedundant' }
    network: { delegatedSubnetResourceId: subnet, privateDnsZoneArmResourceId: zone.id, publicNetworkAccess: 'Disabled' }
    maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 6, startHour: 3, startMinute: 0 }
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: 'hybrid'
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
}

// A long transaction holds up the positions of everybody.
resource idleTransactions 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = {
  parent: server
  name: 'idle_in_transaction_session_timeout'
  properties: { value: '60000', source: 'user-override' }
  dependsOn: [database]
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: vaultName }

// For azd, which reads it at the next provisioning.
resource passwordSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'postgres-password'
  properties: { value: password }
}

// For the processes: a line of a password file, read at each new connection, so that a rotated password needs no restart.
resource passfile 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'postgres-passfile'
  properties: { value: '*:*:*:${user}:${replace(replace(password, '\\', '\\\\'), ':', '\\:')}' }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: server
  properties: {
    workspaceId: workspace
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output host string = server.properties.fullyQualifiedDomainName
