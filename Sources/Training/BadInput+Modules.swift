internal import Checkpoints
internal import Cluster
internal import Hub
internal import Kernels
internal import TextData

extension FileError: BadInput {}
extension DatasetError: BadInput {}
extension TokenizerError: BadInput {}
extension ConfigurationError: BadInput {}
extension ClusterFileError: BadInput {}
extension EndpointText.Malformed: BadInput {}
extension PlaceError: BadInput {}
extension BLASError: BadInput {}
extension HubError: BadInput {}
